import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { about, metricsOf } from '../../test/unit/shown-metrics.ts';
import {
  type CertificateAuthority,
  isBrokenAuthority,
  parseCertificateAuthority,
} from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';

function authority(names: readonly string[], kind: AuthorityKind = 'ClusterCertificateAuthority') {
  const issuancePolicy = {
    rules: names.map((name) => ({
      name,
      ...(kind === 'ClusterCertificateAuthority' && { namespaces: { all: true } }),
      commonNames: ['*'],
    })),
  };
  const namespace = kind === 'ClusterCertificateAuthority' ? '' : 'team';
  const parsed = parseCertificateAuthority(kind, {
    metadata: { namespace, name: 'ca' },
    spec: { secret: { name: 'pair' }, ...(names.length > 0 && { issuancePolicy }) },
  });
  if (isBrokenAuthority(parsed)) throw new Error(parsed.problem);
  return parsed;
}

const KEY = 'ClusterCertificateAuthority/ca';
const counter = (rule: string, key = KEY) => `certwheel_issuances_by_rule_total{authority="${key}",rule="${rule}"}`;

function shown(...authorities: CertificateAuthority[]) {
  const metrics = metricsOf();
  for (const each of authorities) metrics.showAuthority(each, true, undefined);
  return metrics;
}

const counted = (metrics: ReturnType<typeof metricsOf>) => about(metrics, 'issuances_by_rule');

test('the rules of a cluster authority begin at zero, and each issuance counts for its rule', async () => {
  const metrics = shown(authority(['web', 'jobs']));
  assert.equal(await counted(metrics), { [counter('web')]: 0, [counter('jobs')]: 0 });
  metrics.issuedByRule(KEY, 'web');
  metrics.issuedByRule(KEY, 'web');
  assert.is((await counted(metrics))[counter('web')], 2);
});

test('the rules of a tenant have a series once they are used', async () => {
  const metrics = shown(authority(['web', 'jobs'], 'CertificateAuthority'));
  assert.equal(await counted(metrics), {});
  metrics.issuedByRule('CertificateAuthority/team/ca', 'web');
  assert.equal(await counted(metrics), { [counter('web', 'CertificateAuthority/team/ca')]: 1 });
});

test('the count of a rule stays while the rule does, and goes with it', async () => {
  const metrics = shown(authority(['web', 'jobs']));
  metrics.issuedByRule(KEY, 'web');
  metrics.showAuthority(authority(['web', 'more']), true, undefined);
  assert.equal(await counted(metrics), { [counter('web')]: 1, [counter('more')]: 0 });
  metrics.issuedByRule(KEY, 'jobs');
  metrics.showAuthority(authority([]), true, undefined);
  assert.equal(await counted(metrics), {}, 'it has no rules any more');
});

test('nothing is left of an authority that is gone, nor counted for it', async () => {
  const metrics = shown(authority(['web']));
  metrics.hideAuthority(KEY);
  metrics.issuedByRule(KEY, 'web');
  assert.equal(await counted(metrics), {});
});

test.run();
