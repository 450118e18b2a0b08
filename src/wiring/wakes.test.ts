import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { parseCommandLine } from '../config.ts';
import { Cluster } from './cluster.ts';
import { wireWakes } from './wakes.ts';

test('a change of a namespace wakes the users of cluster authorities in it if its labels have changed, and otherwise nobody', () => {
  const parsed = parseCommandLine([], {}, false);
  if (!('config' in parsed)) throw new Error('no config');
  const clock = new FakeClock(NOW);
  const cluster = new Cluster(parsed.config, { client: {} as never, clock, logger: SILENT });
  const woken: string[] = [];
  let generations = [{ state: 'Active' }];
  const queue = { add: (key: string) => void woken.push(key) } as never;
  wireWakes({
    cluster,
    clock,
    certificates: queue,
    authorities: { add: () => void woken.push('authority') } as never,
    ledgers: { secretChanged: () => [] },
    registry: { get: () => ({ generations }), current: () => undefined } as never,
    sharding: {} as never,
    metrics: {} as never,
    onGone: () => {},
  });
  const { raw } = aCertificate();
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'ca' };
  cluster.certificates.put({ ...raw, spec: { ...(raw.spec as object), authorityRef } });
  const wokenBy = (resourceVersion: string, labels: object, annotations: object) => {
    woken.length = 0;
    cluster.namespaces.upsert('', {
      metadata: { name: 'team', uid: 'u', resourceVersion, labels, annotations },
    } as never);
    return [...woken];
  };
  assert.equal(wokenBy('1', { tier: 'prod' }, {}), ['team/client']);
  assert.equal(wokenBy('2', { tier: 'prod' }, { 'example.com/seen-at': '12:00' }), []);
  assert.equal(wokenBy('3', { tier: 'test' }, {}), ['team/client']);
  generations = [{ state: 'Active' }, { state: 'Retiring' }];
  assert.equal(
    wokenBy('4', { tier: 'prod' }, {}),
    ['team/client', 'authority'],
    'which re-issues what it serves again',
  );
});

test.run();
