import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { about, metricsOf } from '../../test/unit/shown-metrics.ts';
import {
  type CertificateAuthority,
  isBrokenAuthority,
  parseCertificateAuthority,
} from '../api/certificate-authority.ts';

const KEY = 'CertificateAuthority/team/ca';
const issues = (fallback: string) => `certwheel_fallback_issues_total{authority="${KEY}",fallback="${fallback}"}`;
const ready = (fallback: string) => `certwheel_fallback_ready{authority="${KEY}",fallback="${fallback}"}`;

function authority(): CertificateAuthority {
  const parsed = parseCertificateAuthority('CertificateAuthority', {
    metadata: { namespace: 'team', name: 'ca' },
    spec: { secret: { name: 'pair' } },
  });
  if (isBrokenAuthority(parsed)) throw new Error(parsed.problem);
  return parsed;
}

test('a fallback begins at zero, and its series go with it or with the authority', async () => {
  const metrics = metricsOf();
  const found = () => about(metrics, 'fallback_');
  metrics.showFallback(authority(), undefined, false);
  assert.equal(await found(), {});
  metrics.showFallback(authority(), 'one', true);
  assert.equal(await found(), { [issues('one')]: 0, [ready('one')]: 1 });
  metrics.fallbackIssued(KEY, 'one');
  metrics.showFallback(authority(), 'one', false);
  assert.equal(await found(), { [issues('one')]: 1, [ready('one')]: 0 });
  metrics.showFallback(authority(), 'two', true);
  metrics.fallbackIssued(KEY, 'one');
  assert.equal(await found(), { [issues('two')]: 0, [ready('two')]: 1 });
  metrics.hideAuthority(KEY);
  assert.equal(await found(), {});
});

test.run();
