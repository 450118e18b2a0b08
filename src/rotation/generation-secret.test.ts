import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import type { RawObject } from '../api/parse.ts';
import type { CaPair } from '../pki/ca.ts';
import { blankManifest, generationManifest } from './generation-manifest.ts';
import { viewGenerationSecret } from './generation-secret.ts';

const MEBIBYTE = 2 ** 20;
const IDS = { uid: 'uid-1', resourceVersion: '5' };
const CONTROLLER_NAMESPACE = 'certwheel-system';
const pair = pairOf(await root());
const namespaced = { kind: 'CertificateAuthority', name: 'ca' } as const;
const ofCluster = { kind: 'ClusterCertificateAuthority', name: 'ca' } as const;
const content = { version: 7, state: 'Active', since: hoursFromNow(-3), source: 'secret' } as const;

function manifest(authority: typeof namespaced | typeof ofCluster = namespaced, namespace = 'ns', of: CaPair = pair) {
  const { name } = blankManifest(authority, content.version, namespace).metadata;
  return generationManifest(authority, { ...content, path: of, signer: of.signer }, { namespace, name, ...IDS }, [
    'uid-of-6',
  ]);
}

/** As the API server would hand it out, with changes by hand. */
function stored(
  from: ReturnType<typeof manifest>,
  change: {
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    name?: string;
    data?: object;
  } = {},
): RawObject {
  const { data = from.data, ...metadata } = change;
  const creationTimestamp = '2026-05-01T00:00:00Z';
  const meta = { ...from.metadata, creationTimestamp, ...metadata };
  return { ...from, metadata: meta, data } as unknown as RawObject;
}

function view(object: RawObject) {
  return viewGenerationSecret(object, CONTROLLER_NAMESPACE);
}

test('what is written is what is read', () => {
  const { authority, version, generation, problem } = view(stored(manifest()));
  assert.is(problem, undefined);
  assert.is(authority, 'CertificateAuthority/ns/ca');
  assert.is(version, 7);
  assert.is(generation?.state, 'Active');
  assert.equal(generation?.since, hoursFromNow(-3));
  assert.is(generation?.source, 'secret');
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

test('those of the cluster kind count in the namespace of the controller alone', () => {
  const good = manifest(ofCluster, CONTROLLER_NAMESPACE);
  assert.is(good.metadata.name, 'ca-clusterca-v7');
  assert.is(view(stored(good)).authority, 'ClusterCertificateAuthority/ca');
  const forged = view(stored(manifest(ofCluster, 'tenant')));
  assert.is(forged.authority, 'CertificateAuthority/tenant/ca');
});

test('damaged marks make a generation neither sign nor disappear', () => {
  for (const annotations of [
    {},
    { 'certwheel.io/generation-state': 'Emperor', 'certwheel.io/generation-state-since': 'x' },
    // When it became active says nothing of when it began to leave.
    { 'certwheel.io/generation-state-since': '2026-05-02T00:00:00Z' },
  ]) {
    const { generation } = view(stored(manifest(), { annotations }));
    assert.is(generation?.state, 'Retiring');
    assert.equal(generation?.since, new Date('2026-05-01T00:00:00Z'));
    assert.is(generation?.source, '');
  }
});

test('a generation that is being deleted counts while it signs, and the finalizers that hold it are named', () => {
  const leaving = { deletionTimestamp: '2026-06-01T00:00:00Z', finalizers: ['example.com/backup'] };
  const signs = view(stored(manifest(), leaving));
  assert.ok(signs.generation);
  assert.match(
    signs.problem ?? '',
    /the CA that signs is lost as soon as these finalizers are gone: example.com\/backup/,
  );
  const annotations = { 'certwheel.io/generation-state': 'Retiring' };
  const retired = view(stored(manifest(), { ...leaving, annotations }));
  assert.is(retired.generation, undefined, 'what was retired comes back into no bundle');
  assert.match(retired.problem ?? '', /the key of the former CA is deleted as soon as/);
});

test('a version beyond what the status can hold is none of ours', () => {
  for (const version of [1_000_001, 2_147_483_647, Number.MAX_SAFE_INTEGER]) {
    const planted = view(stored(manifest(), { name: `ca-ca-v${version}` }));
    assert.equal([planted.version, planted.generation], [0, undefined]);
  }
});

test('a Secret under a name that no generation has is refused', () => {
  for (const name of [
    'ca-ca-v0',
    'ca-ca-v07',
    'ca-ca-v7x',
    'ca-ca-v',
    'other-ca-v7',
    'ca-v7',
    'cluster-ca-ca-v7',
    'ca-clusterca-v7',
    'ca-ca-v-7',
    'ca-ca-v1e3',
  ]) {
    const { generation, problem } = view(stored(manifest(), { name }));
    assert.is(generation, undefined, name);
    assert.match(problem ?? '', `Secret ns/${name} can't be used: its name is not that of a CA generation of ca`);
  }
});

test("a Secret that can't be read keeps its version, says why, and tells nothing of its key", () => {
  const from = manifest();
  const secretText = 'c2VjcmV0LXNlY3JldA';
  const damaged: [object, string][] = [
    [{ ...from.data, 'tls.key': undefined }, 'no private keys where one belongs'],
    [
      { ...from.data, 'tls.key': Buffer.from(`-----BEGIN PRIVATE KEY-----\n${secretText}\n`).toString('base64') },
      "can't be used",
    ],
    [{ ...from.data, 'tls.crt': Buffer.from('nothing').toString('base64') }, 'bytes outside the PEM blocks'],
    [{}, "can't be used"],
  ];
  for (const [data, why] of damaged) {
    const { generation, version, problem } = view(stored(from, { data }));
    assert.is(generation, undefined);
    assert.is(version, 7);
    assert.match(problem ?? '', why);
    assert.not.match(problem ?? '', secretText);
  }
});

test('of a Secret that is not read yet, nothing is kept but what a CA generation holds', () => {
  const data = { ...manifest().data, bulk: '' };
  const before = memoryUsed();
  const views = Array.from({ length: 100 }, (_, at) => {
    const bulk = Buffer.alloc(MEBIBYTE, `${at}`).toString('latin1');
    return view(stored(manifest(), { annotations: { bulk: `a${bulk}` }, data: { ...data, bulk: `d${bulk}` } }));
  });
  const kept = (memoryUsed() - before) / MEBIBYTE;
  assert.ok(kept < 60, `${kept} MiB are kept of 200`);
  assert.is(views.at(-1)?.generation?.state, 'Retiring');
});

for (const key of ['tls.crt', 'tls.key'])
  test(`a Secret with a ${key} larger than that of any CA generation is refused, and not kept`, () => {
    const before = memoryUsed();
    const views = Array.from({ length: 100 }, (_, at) =>
      view(
        stored(manifest(), { data: { ...manifest().data, [key]: Buffer.alloc(MEBIBYTE, `${at}`).toString('latin1') } }),
      ),
    );
    const kept = (memoryUsed() - before) / MEBIBYTE;
    assert.ok(kept < 50, `${kept} MiB are kept of 100`);
    assert.match(views[0]?.problem ?? '', `its key ${key} is larger than that of any CA generation`);
  });

function memoryUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What is outside of the heap goes with the next collection.
  for (let times = 0; times < 3; times++) collect();
  const { heapUsed, external } = process.memoryUsage();
  // Strings made of large Buffers are outside of the heap.
  return heapUsed + external;
}

test.run();
