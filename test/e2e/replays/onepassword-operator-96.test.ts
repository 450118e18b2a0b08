/**
 * https://github.com/1Password/onepassword-operator/issues/96 (also cert-manager/cert-manager 4135): the labels of a resource are
 * copied onto its Secret, among them the one by which a GitOps tool knows what is its own, so that it removes the Secret.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import { patch, patchCertificate, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

const TRACKED = {
  labels: { 'argocd.argoproj.io/instance': 'payments', 'app.kubernetes.io/instance': 'payments' },
  annotations: { 'argocd.argoproj.io/tracking-id': 'payments:certwheel.io/x', 'helm.sh/resource-policy': 'keep' },
};

const scene = oneScene({ authority: false });
test.after(scene.stop);

test('no label and no annotation of a resource or its authority is copied to its Secret', async () => {
  const { world, namespace } = await scene.get();
  const authority = selfManaged(namespace);
  await createAuthority(world, { ...authority, metadata: { ...authority.metadata, ...TRACKED } });
  const alice = clientCertificate(namespace, 'alice');
  await create(world, { ...alice, metadata: { ...alice.metadata, ...TRACKED } });
  await untilReady(world, namespace, 'alice');
  // Nor when they come later, with a renewal.
  const later = {
    metadata: { labels: { 'tanka.dev/environment': 'prod' }, annotations: { 'example.com/later': 'yes' } },
  };
  await patch(world, CERTIFICATE_AUTHORITIES, namespace, 'ca', later);
  await patchCertificate(world, namespace, 'alice', { ...later, spec: { commonName: 'alice-2' } });
  await untilRevision(world, namespace, 'alice-tls', 2);
  const { items } = await world.client.list(SECRETS, { namespace });
  assert.is(items.length, 2);
  for (const { metadata } of items) {
    const keys = Object.keys({ ...metadata?.labels, ...metadata?.annotations });
    assert.equal(
      keys.filter((key) => !key.startsWith('certwheel.io/')),
      [],
      metadata?.name,
    );
  }
  assert.ok(await world.client.get(CLIENT_CERTIFICATES, namespace, 'alice'));
});

test.run();
