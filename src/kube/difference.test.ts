import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawObject } from '../api/parse.ts';
import { fieldAltered } from './difference.ts';

const SENT = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    namespace: 'team',
    name: 'app-tls',
    resourceVersion: '1',
    labels: { 'certwheel.io/certificate-name': 'app' },
    annotations: { 'certwheel.io/revision': '1', empty: '' },
    ownerReferences: [{ kind: 'ClientCertificate', uid: 'u', controller: true }],
  },
  type: 'kubernetes.io/tls',
  immutable: true,
  data: { 'tls.crt': 'Yw==', 'tls.key': 'aw==', 'ca.crt': '' },
};

function stored(change: (object: typeof SENT & RawObject) => void = () => {}): RawObject {
  const object = structuredClone(SENT) as typeof SENT & RawObject;
  Object.assign(object.metadata, { uid: 'given', resourceVersion: '77', creationTimestamp: '2026-01-01T00:00:00Z' });
  change(object);
  return object;
}

test('an object that is stored as it was sent has no difference, whatever the API server and other clients add', () => {
  assert.is(fieldAltered(SENT, stored()), undefined);
  const added = stored((object) => {
    Object.assign(object.metadata.labels, { team: 'payments' });
    Object.assign(object.data, { 'keystore.p12': 'cA==' });
    object.metadata.ownerReferences.unshift({ kind: 'Other', uid: 'o', controller: false });
  });
  assert.is(fieldAltered(SENT, added), undefined);
});

test('an empty map that is left out is no difference', () => {
  assert.is(fieldAltered({ metadata: { labels: {}, ownerReferences: [] } }, { metadata: {} }), undefined);
});

/** Paths of all that is sent and compared: one for each value, and one for each list. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value)
    .filter(([field]) => path[0] !== 'metadata' || !['namespace', 'name', 'resourceVersion'].includes(field))
    .flatMap(([field, each]) => pathsOf(each, [...path, field]));
}

test('each field that is removed or changed on its way is found, and named', () => {
  fc.assert(
    fc.property(fc.constantFrom(...pathsOf(SENT)), fc.constantFrom('remove', 'change'), (path, what) => {
      const object = stored((each) => {
        const holder = path.slice(0, -1).reduce((at, field) => (at as never)[field], each as object);
        const field = path.at(-1) ?? '';
        if (what === 'remove') delete (holder as Record<string, unknown>)[field];
        else (holder as Record<string, unknown>)[field] = 'otherwise';
      });
      assert.is(fieldAltered(SENT, object), path.join('.'));
    }),
    { seed: 7 },
  );
});

test.run();
