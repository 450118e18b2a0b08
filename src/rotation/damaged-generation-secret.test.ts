/** Secrets of CA generations that are damaged, are being deleted, or hold more than a generation does. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifest, stored, view } from '../../test/unit/stored-generation.ts';

const MEBIBYTE = 2 ** 20;

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

test("a Secret that can't be read keeps its version, and its problem quotes nothing of its key", () => {
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

test('a Secret that is not read yet keeps only the fields of a CA generation', () => {
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
