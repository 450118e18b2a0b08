import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arbitrarySpec } from '../../../test/unit/arbitrary-spec.ts';
import { aCertificate, after, DAY } from '../../../test/unit/builders.ts';
import { plainly } from '../../../test/unit/rendered.ts';
import { stored } from '../../../test/unit/secret-store.ts';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import type { CertificateMemory, SecretMemory } from './annotations.ts';
import { secretManifest } from './manifest.ts';
import { viewSecret } from './view.ts';

const DATA = { certificateChain: 'chain\n', privateKey: 'key\n', trustBundle: 'bundle\n' };
const MEMORY: CertificateMemory = {
  revision: 3,
  authority: 'CertificateAuthority/ca',
  authorityGeneration: 2,
  requestedDurationMs: DAY,
  issuedAt: after(123),
  ledger: '0a=2026-06-02T12:00:00Z=order/7',
};

/** Of a certificate without further files. */
const manifestOf = (
  resource: ClientCertificate,
  memory: CertificateMemory,
  current: Parameters<typeof secretManifest>[3],
) => secretManifest(resource, plainly(DATA, resource), memory, current);

test('a manifest holds the whole Secret', () => {
  const resource = aCertificate({ secretTemplate: { labels: { team: 'a' }, annotations: { note: 'b' } } }).build();
  assert.equal(manifestOf(resource, MEMORY, undefined), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace: 'team',
      name: 'client-tls',
      resourceVersion: '1',
      labels: { team: 'a', 'certwheel.io/certificate-name': 'client' },
      annotations: {
        note: 'b',
        'certwheel.io/certificate-uid': 'uid-1',
        'certwheel.io/revision': '3',
        'certwheel.io/authority': 'CertificateAuthority/ca',
        'certwheel.io/authority-generation': '2',
        'certwheel.io/requested-duration': '24h',
        'certwheel.io/issued-at': '2026-06-01T12:00:00.123Z',
        'certwheel.io/serials': '0a=2026-06-02T12:00:00Z=order/7',
        'certwheel.io/template-keys': 'note,team',
      },
      ownerReferences: [
        {
          apiVersion: 'certwheel.io/v1alpha1',
          kind: 'ClientCertificate',
          name: 'client',
          uid: 'uid-1',
          controller: true,
          blockOwnerDeletion: false,
        },
      ],
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': 'Y2hhaW4K', 'tls.key': 'a2V5Cg==', 'ca.crt': 'YnVuZGxlCg==' },
  });
});

test('the first write asks for version 1, with which the API server creates, and never overwrites', () => {
  const { metadata } = manifestOf(aCertificate().build(), MEMORY, undefined);
  assert.is(metadata.resourceVersion, '1');
  assert.not('uid' in metadata);
});

test('a later write demands the uid and the version that were observed', () => {
  const current = { uid: 'u', resourceVersion: '42' };
  const { metadata } = manifestOf(aCertificate().build(), MEMORY, current);
  assert.equal({ uid: (metadata as { uid?: string }).uid, resourceVersion: metadata.resourceVersion }, current);
});

test('under Retain there is no owner reference, and the marks all the same', () => {
  const { metadata } = manifestOf(aCertificate({ deletionPolicy: 'Retain' }).build(), MEMORY, undefined);
  assert.equal(metadata.ownerReferences, []);
  assert.is(metadata.labels['certwheel.io/certificate-name'], 'client');
  assert.is(metadata.annotations['certwheel.io/certificate-uid'], 'uid-1');
});

test('a template can not take the place of our marks', () => {
  const resource = aCertificate().build();
  const spec = {
    ...resource.spec,
    secretLabels: { 'certwheel.io/certificate-name': 'forged' },
    secretAnnotations: { 'certwheel.io/certificate-uid': 'forged', 'certwheel.io/revision': '99' },
  };
  const { metadata } = manifestOf({ ...resource, spec }, MEMORY, undefined);
  assert.is(metadata.labels['certwheel.io/certificate-name'], 'client');
  assert.is(metadata.annotations['certwheel.io/certificate-uid'], 'uid-1');
  assert.equal({ ...metadata.annotations }['certwheel.io/revision' as string], '3');
});

test('unknown values are left out of the annotations', () => {
  const unknown = { revision: 1, ledger: '' };
  const nothing = { authority: undefined, authorityGeneration: undefined, requestedDurationMs: undefined };
  const memory = { ...unknown, ...nothing, issuedAt: undefined };
  const { annotations } = manifestOf(aCertificate().build(), memory, undefined).metadata;
  assert.equal(annotations, {
    'certwheel.io/certificate-uid': 'uid-1',
    'certwheel.io/revision': '1',
    'certwheel.io/serials': '',
    'certwheel.io/template-keys': '',
  });
});

const memories: fc.Arbitrary<CertificateMemory> = fc.record({
  revision: fc.integer({ min: 1, max: 10 ** 9 - 1 }),
  authority: fc.constantFrom('CertificateAuthority/a', 'ClusterCertificateAuthority/b'),
  authorityGeneration: fc.option(fc.integer({ min: 1, max: 999 }), { nil: undefined }),
  requestedDurationMs: fc.option(
    fc.integer({ min: 60, max: 10 ** 8 }).map((seconds) => seconds * 1_000),
    { nil: undefined },
  ),
  issuedAt: fc.option(
    fc.integer({ min: 0, max: 10 ** 12 }).map((ms) => after(ms)),
    { nil: undefined },
  ),
  ledger: fc.string(),
});

test('annotations are read as they were written', () => {
  fc.assert(
    fc.property(arbitrarySpec, memories, (spec, drawn) => {
      const memory = structuredClone(drawn);
      const resource = aCertificate(spec).build();
      const view = viewSecret(stored(manifestOf(resource, memory, undefined)));
      for (const [field, value] of Object.entries(memory))
        assert.equal(view.memory[field as keyof SecretMemory], value, field);
      assert.equal(view.owner, { certificateName: 'client', certificateUid: 'uid-1' });
      assert.equal(view.labels, { ...resource.spec.secretLabels });
      assert.equal(view.annotations, { ...resource.spec.secretAnnotations });
    }),
  );
});

test.run();
