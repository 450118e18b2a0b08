import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import {
  CONTROLLER_NAMESPACE,
  manifest,
  namespaced,
  ofCluster,
  pair,
  stored,
  view,
} from '../../test/unit/stored-generation.ts';
import { blankManifest, generationManifest } from './generation-manifest.ts';

test('what is written is what is read', () => {
  const { authority, version, generation, problem } = view(stored(manifest()));
  assert.is(problem, undefined);
  assert.is(authority, 'CertificateAuthority/ns/ca');
  assert.is(version, 7);
  assert.is(generation?.state, 'Active');
  assert.equal(generation?.since, hoursFromNow(-3));
  assert.is(generation?.source, 'secret');
  assert.equal([generation?.rejects, generation?.rejectedMadeAt], [['another'], hoursFromNow(-2)]);
  assert.is(generation?.path.certificate.fingerprintSHA256, pair.certificate.fingerprintSHA256);
  assert.equal(generation?.secret, { namespace: 'ns', name: 'ca-ca-v7', uid: 'uid-1', resourceVersion: '5' });
});

test('its mark names its own uid and those of the others in use, and where it was written', () => {
  const { mark, generation } = view(stored(manifest()));
  assert.equal(mark, { uids: ['uid-1', 'uid-of-6'], namespace: 'ns' });
  assert.is(generation?.mark, 'whole');
  const copy = stored(manifest());
  const elsewhere = view({ ...copy, metadata: { ...copy.metadata, namespace: 'other', uid: 'uid-2' } });
  assert.equal(elsewhere.mark, mark);
  assert.is(elsewhere.generation?.mark, 'none');
  const without = view(stored(manifest(), { annotations: {} }));
  assert.equal(without.mark, { uids: [], namespace: undefined });
  assert.is(without.generation?.mark, 'none');
});

test('a Secret whose key has not come in yet is blank, which neither is a problem nor grants anything', () => {
  const made = { ...manifest(), ...blankManifest(namespaced, 7, 'ns'), immutable: false };
  const blank = view(stored(made as never));
  assert.equal([blank.isBlank, blank.version, blank.mark.uids], [true, 7, []]);
  assert.is(view(stored(manifest())).isBlank, false);
  // These could not be filled, or the key would go elsewhere.
  for (const change of [
    { immutable: true },
    { type: 'Opaque' },
    { metadata: { ...made.metadata, finalizers: ['example.com/hold'] } },
    { metadata: { ...made.metadata, deletionTimestamp: '2026-05-01T00:00:00Z' } },
    { metadata: { ...made.metadata, annotations: { 'replicator.v1.mittwald.de/replicate-to': 'all' } } },
  ])
    assert.is(view(stored({ ...made, ...change } as never)).isBlank, false, JSON.stringify(change));
});

test('the Secret is immutable, has no owner, and holds no more than the pair', () => {
  const { immutable, type, metadata, data } = manifest();
  assert.is(immutable, true);
  assert.is(type, 'kubernetes.io/tls');
  assert.not('ownerReferences' in metadata);
  assert.equal(Object.keys(data).sort(), ['ca.crt', 'tls.crt', 'tls.key']);
});

test('an intermediate keeps its root', async () => {
  const top = await root();
  const below = await signIntermediate(top);
  const { generation } = view(stored(manifest(namespaced, 'ns', pairOf(below, top))));
  assert.is(generation?.path.anchor.fingerprintSHA256, top.certificate.fingerprintSHA256);
  assert.is(generation?.path.chain.length, 2);
});

test('a generation whose CA has expired can still be read, since its end is for others to judge', async () => {
  const short = await root({ notBefore: hoursFromNow(-10), notAfter: hoursFromNow(1) });
  assert.is(view(stored(manifest(namespaced, 'ns', pairOf(short)))).problem, undefined);
});

test('the names of the two kinds never meet', () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
  const name = fc.tuple(
    fc.constantFrom('', 'cluster-', 'clusterca-'),
    label,
    fc.constantFrom('', '-cluster', '-clusterca', '-ca-v1', '-clusterca-v1', '-ca', '.clusterca'),
  );
  const version = fc.integer({ min: 1, max: 12 });
  const nameOf = (kind: (typeof namespaced | typeof ofCluster)['kind'], parts: string[], number: number) => {
    return blankManifest({ kind, name: parts.join('') }, number, 'ns').metadata.name;
  };
  fc.assert(
    fc.property(name, version, name, version, (one, first, other, second) => {
      const names = [nameOf('CertificateAuthority', one, first), nameOf('ClusterCertificateAuthority', other, second)];
      assert.is.not(names[0], names[1]);
    }),
    { numRuns: 2_000 },
  );
});

test('a generation of the cluster kind that was stored under its former name is read, and keeps that name', () => {
  const former = stored(manifest(ofCluster, CONTROLLER_NAMESPACE), { name: 'cluster-ca-ca-v7' });
  const { authority, version, generation } = view(former);
  assert.is(authority, 'ClusterCertificateAuthority/ca');
  assert.is(version, 7);
  assert.ok(generation);
  const moved = generationManifest(ofCluster, { ...generation, state: 'Retiring' }, generation.secret, []);
  assert.is(moved.metadata.name, 'cluster-ca-ca-v7');
  assert.is(moved.metadata.uid, 'uid-1');
});

test('Secrets of a cluster authority count in the namespace of the controller alone', () => {
  const good = manifest(ofCluster, CONTROLLER_NAMESPACE);
  assert.is(good.metadata.name, 'ca-clusterca-v7');
  assert.is(view(stored(good)).authority, 'ClusterCertificateAuthority/ca');
  const forged = view(stored(manifest(ofCluster, 'tenant')));
  assert.is(forged.authority, 'CertificateAuthority/tenant/ca');
});

test.run();
