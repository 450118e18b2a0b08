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

test('each namespace has places of its own, and deletions in one wake none of another', async () => {
  await runsAfter(() => {
    for (let second = 0; second < 20; second++) {
      const raw = certificate(`c${second}`, second);
      const metadata = { ...raw.metadata, namespace: 'other', uid: `other ${second}` };
      world.cluster.certificates.upsert(ALL_NAMESPACES, { ...raw, metadata });
    }
  });
  const first = world.cluster.certificates.get('other/c0');
  assert.equal(world.cluster.places.certificateChanged(first, undefined), ['other/c10']);
});

test('other labels of its namespace void no place under a CertificateAuthority, since they wake no certificate of it', async () => {
  const { namespaces: _, ...rule } = AUTHORITY.spec.issuancePolicy.rules[0] as { namespaces?: object };
  world.cluster.authorities.upsert(ALL_NAMESPACES, {
    metadata: { ...AUTHORITY.metadata, namespace: 'team', name: 'own' },
    spec: { secret: { name: 'pair' }, issuancePolicy: { rules: [rule] } },
  });
  const all: ReturnType<typeof certificate>[] = [];
  const authorityRef = { kind: 'CertificateAuthority', name: 'own' };
  await runsAfter(() => {
    for (let second = 0; second < 20; second++) all.push(certificate(`c${second}`, second, { authorityRef }));
  });
  const labels = (resourceVersion: string, tier: string) =>
    world.cluster.namespaces.upsert(ALL_NAMESPACES, {
      metadata: { name: 'team', uid: 'team', resourceVersion, labels: { tier } },
    });
  assert.is(await runsAfter(() => labels('900000', 'a')), 0);
  assert.is(await runsAfter(() => world.deleteCertificate(all[0] as never)), 2);
});

test('a change of labels wakes all certificates of a cluster authority in the namespace, and places follow from then on', async () => {
  const all: ReturnType<typeof certificate>[] = [];
  await runsAfter(() => {
    for (let second = 0; second < 20; second++) all.push(certificate(`c${second}`, second));
  });
  const metadata = { name: 'team', uid: 'team', resourceVersion: '900000', labels: { tier: 'a' } };
  assert.is(await runsAfter(() => world.cluster.namespaces.upsert(ALL_NAMESPACES, { metadata })), 20);
  assert.is(await runsAfter(() => world.deleteCertificate(all[0] as never)), 2);
});

test.run();
