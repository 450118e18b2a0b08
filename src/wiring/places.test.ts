import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type OneNamespace, oneNamespace } from '../../test/unit/one-namespace.ts';
import { ALL_NAMESPACES } from '../kube/cache/entry.ts';

const MANY = 1_000;
const AUTHORITY = {
  metadata: { name: 'platform', uid: 'authority', resourceVersion: '1', generation: 1 },
  spec: {
    secret: { name: 'pair' },
    allowedNamespaces: { all: true },
    issuancePolicy: {
      rules: [{ name: 'clients', namespaces: { all: true }, commonNames: ['*'], maxCertificates: 10 }],
    },
  },
};

let world: OneNamespace;
test.before.each(() => {
  world = oneNamespace();
  world.cluster.namespaces.upsert(ALL_NAMESPACES, { metadata: { name: 'team', uid: 'team', resourceVersion: '2' } });
  world.cluster.clusterAuthorities.upsert(ALL_NAMESPACES, AUTHORITY);
});
test.after.each(() => world.stop());

function certificate(name: string, second: number, spec: object = {}) {
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'platform' };
  return world.certificate(name, second, { authorityRef, secretName: `${name}-tls`, ...spec });
}

async function runsAfter(change: () => void): Promise<number> {
  const before = world.runs();
  change();
  await world.clock.advance(1_000);
  return world.runs() - before;
}

test('of a thousand certificates under a rule, a change wakes that one and the next in line', async () => {
  const all: ReturnType<typeof certificate>[] = [];
  const created = await runsAfter(() => {
    for (let second = 0; second < MANY; second++) all.push(certificate(`c${second}`, second));
  });
  assert.is(created, MANY);
  assert.is(await runsAfter(() => world.deleteCertificate(all[3] as never)), 2, 'one with a place');
  assert.is(await runsAfter(() => world.deleteCertificate(all[500] as never)), 1, 'one without');
  assert.is(await runsAfter(() => certificate('latest', MANY)), 1);
  assert.is(await runsAfter(() => certificate('c7', 7, { duration: '2h' })), 1, 'it stays under its rule');
});

test.run();
