import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { viewNextKey } from '../../../src/certificate/request/next-key.ts';
import { createSecret } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { untilAuthority } from './place.ts';
import { awaitedRequest, nextSecret, requestsFor, untilTidy } from './support.ts';

// Attacks on kubernetesCSR by users of one namespace, and by users who may create requests of their own.

const CSRS = names.CERTIFICATE_SIGNING_REQUESTS;
const CRDS = `${import.meta.dirname}/../../../crds`;

const controllers = ['certificatesigningrequest-signing-controller'];
const scene = oneScene({ authority: false, controllers });
test.after(scene.stop);

function authority({ client, cluster }: World, namespace: string, more: object = {}): Promise<RawObject> {
  const trustBundle = { inline: readFileSync(cluster.caPath, 'utf8') };
  const kubernetesCSR = { signerName: 'kubernetes.io/kube-apiserver-client', trustBundle, ...more };
  const spec = { kubernetesCSR, allowSystemIdentities: true };
  return client.create(names.CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'ca' }, spec });
}

/** A namespace whose certificate `alice` waits for approval. */
async function waiting(world: World) {
  const namespace = await world.namespace();
  await authority(world, namespace);
  await create(world, clientCertificate(namespace, 'alice'));
  return { namespace, request: await awaitedRequest(world, CSRS, namespace, 'alice') };
}

test('an authority of one namespace approves nothing, and can not be stored as one that does', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  const stored = authority(world, namespace, { approve: true });
  await stored.then(
    () => assert.unreachable('it was stored'),
    ({ message }: Error) => assert.match(message, 'true is for a ClusterCertificateAuthority'),
  );

  // One that was stored before the schema had this rule.
  const crd = ['crd', 'certificateauthorities.certwheel.io'];
  const approve = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/kubernetesCSR/properties/approve';
  const without = JSON.stringify([{ op: 'remove', path: `${approve}/x-kubernetes-validations` }]);
  await world.cluster.kubectl(['patch', ...crd, '--type=json', '-p', without]);
  try {
    await eventually('the rule is gone', () => authority(world, namespace, { approve: true }).catch(() => false));
  } finally {
    await world.cluster.kubectl([
      'apply',
      '--server-side',
      '--force-conflicts',
      '-f',
      `${CRDS}/certificateauthorities.yaml`,
    ]);
  }
  const subject = { commonName: 'admin', subject: { organizations: ['system:masters'] } };
  await create(world, clientCertificate(namespace, 'mallory', subject));
  const says = 'approve: true is for a ClusterCertificateAuthority';
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'BackendForbidden', says });
  await untilReady(world, namespace, 'mallory', { status: 'False', reason: 'AuthorityNotReady' });
  assert.equal(await requestsFor(world, CSRS, namespace), []);
});

test('a request that replaced ours is not used, although it is for the same key', async () => {
  const { world } = await scene.get();
  const { namespace, request } = await waiting(world);
  const ours = await world.client.get(CSRS, undefined, request);
  await world.client.delete(CSRS, undefined, request);
  const { labels, annotations } = ours?.metadata ?? {};
  const spec = { ...(ours?.spec as object), expirationSeconds: 10 * 365 * 86_400 };
  await world.client.create(CSRS, { metadata: { name: request, labels, annotations }, spec });
  await world.cluster.kubectl(['certificate', 'approve', request]);
  const other = await awaitedRequest(world, CSRS, namespace, 'alice', request);
  assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
  assert.is(await world.client.get(CSRS, undefined, request), undefined);
  await world.cluster.kubectl(['certificate', 'approve', other]);
  await untilReady(world, namespace, 'alice');
  await untilTidy(world, CSRS, namespace);
});

test('a forged record of a request reaches no request of another namespace', async () => {
  const { world } = await scene.get();
  const { namespace, request } = await waiting(world);
  const kept = await nextSecret(world, namespace, 'alice');
  const elsewhere = await world.namespace();
  await authority(world, elsewhere);
  await untilAuthority({ world, namespace: elsewhere });
  await createSecret(world, elsewhere, 'mallory-next', {
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
    labels: { [names.NEXT_OF_LABEL]: 'mallory' },
    annotations: kept?.metadata?.annotations,
  });
  await eventually('the forgery is tidied up', async () => !(await nextSecret(world, elsewhere, 'mallory')));
  const there = await world.client.get(CSRS, undefined, request);
  assert.is(there?.metadata?.annotations?.[names.CLIENT_CERTIFICATE_ANNOTATION], `${namespace}/alice`);
  assert.is(viewNextKey((await nextSecret(world, namespace, 'alice')) ?? {}).id, viewNextKey(kept ?? {}).id);
});

test.run();
