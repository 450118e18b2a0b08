import { hash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { clusterUser } from '../process/support/access.ts';
import { patch, patchAuthority, patchCertificate, renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { type CaFiles, makeCa } from '../support/openssl.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { handIn, signByHand } from './csr-clerk.ts';
import { createAuthority, untilAuthority, untilClusterAuthority } from './place.ts';

// external under the permissions of the chart, with the test as the person.

const INSTRUCTIONS = 'mail it to ca@example.com';
const LARGE = 900_000;

const shared = oneWorld();
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  world.launch([], await clusterUser(world, 'issuing'));
  return { world, ca: await makeCa('Offline CA') };
});

/** A namespace with the authority `ca`. */
async function place() {
  const { world, ca } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority({ world, namespace }, 'external', specOf(ca));
  await untilAuthority({ world, namespace });
  return { world, ca, namespace };
}

function specOf(ca: CaFiles) {
  return { instructions: INSTRUCTIONS, trustBundle: { inline: ca.certificate } };
}

const mapOf = ({ client }: World, namespace: string, name: string) =>
  client.get(names.CONFIG_MAPS, namespace, `${name}-csr`);

/** Waits for the ConfigMap of a certificate, which is another one than `former`. */
function csrOf(world: World, namespace: string, name: string, former?: RawObject): Promise<RawObject> {
  return eventually(`the CSR of ${name}`, async () => {
    const found = await mapOf(world, namespace, name);
    return found?.metadata?.uid === former?.metadata?.uid ? undefined : found;
  });
}

const textOf = ({ data }: RawObject) => data?.['request.csr'] ?? '';

async function answer(world: World, ca: CaFiles, object: RawObject): Promise<string> {
  const certificate = await signByHand(ca, textOf(object), 1);
  await handIn(world, object, { 'tls.crt': certificate });
  return certificate;
}

/** Waits until the condition Issuing says this. */
function untilSaid(world: World, namespace: string, name: string, says: string): Promise<string> {
  let last = '';
  return eventually(`${name} says ${says}`, async () => {
    last = conditionOf(await statusOf(world, namespace, name), 'Issuing')?.message ?? '';
    return last.includes(says) ? last : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it says ${last}`);
  });
}

function untilGone(world: World, namespace: string, name: string) {
  return eventually('its ConfigMap is gone', async () => (await mapOf(world, namespace, name)) === undefined);
}

test('the ConfigMap and the condition say what is to be signed, for whom, how, and by when', async () => {
  const { world, ca, namespace } = await place();
  const spec = { dnsNames: ['alice.example.com'], duration: '48h' };
  const { metadata } = await create(world, clientCertificate(namespace, 'alice', spec));
  const object = await csrOf(world, namespace, 'alice');
  const { labels = {}, annotations = {}, ownerReferences } = object.metadata ?? {};
  assert.is(labels[names.CSR_OF_LABEL], 'alice');
  assert.equal(ownerReferences, [
    { apiVersion: 'certwheel.io/v1alpha1', kind: 'ClientCertificate', name: 'alice', uid: metadata?.uid },
  ]);
  const digest = hash('sha256', textOf(object));
  assert.equal(
    [
      names.AUTHORITY_ANNOTATION,
      names.REQUESTED_IDENTITY_ANNOTATION,
      names.REQUESTED_DURATION_ANNOTATION,
      names.CSR_DIGEST_ANNOTATION,
      names.INSTRUCTIONS_ANNOTATION,
    ].map((each) => annotations[each]),
    ['CertificateAuthority/ca', 'commonName=alice, dnsNames=alice.example.com', '48h', digest, INSTRUCTIONS],
  );
  assert.equal(Object.keys(object.data ?? {}), ['request.csr']);
  const first = await untilSaid(world, namespace, 'alice', digest);
  for (const part of [`ConfigMap ${namespace}/alice-csr`, INSTRUCTIONS, '--from-file=tls.crt'])
    assert.match(first, part);
  assert.not.match(first, 'the present certificate');
  await answer(world, ca, object);
  const { notAfter } = await untilReady(world, namespace, 'alice');
  await untilGone(world, namespace, 'alice');
  await renewAt(world, namespace, 'alice');
  const next = await untilSaid(world, namespace, 'alice', 'the present certificate ends in');
  assert.match(next, `the present certificate ends in less than a day, at ${notAfter}: `);
  assert.is(conditionOf(await statusOf(world, namespace, 'alice'), 'Ready')?.status, 'True');
});

test('another spec has another CSR, and an answer to the former one is refused by its key', async () => {
  const { world, ca, namespace } = await place();
  await create(world, clientCertificate(namespace, 'alice'));
  const former = await csrOf(world, namespace, 'alice');
  const late = await signByHand(ca, textOf(former), 1);
  await patchCertificate(world, namespace, 'alice', { spec: { commonName: 'alice-2' } });
  const present = await csrOf(world, namespace, 'alice', former);
  await handIn(world, present, { 'tls.crt': late });
  await untilSaid(world, namespace, 'alice', 'so it answers a former request or another one');
  assert.is((await statusOf(world, namespace, 'alice')).lastFailure?.reason, 'InvalidAnswer');
  assert.is(await readSecret(world, namespace, 'alice-tls'), undefined);
  assert.equal((await mapOf(world, namespace, 'alice'))?.metadata?.uid, present.metadata?.uid);
  const right = await answer(world, ca, present);
  await untilReady(world, namespace, 'alice');
  const secret = await untilRevision(world, namespace, 'alice-tls', 1);
  assert.is(secret.chain, right);
  await opensslAccepts(secret.object);
});

test('another root and other instructions leave a CSR that people are working on', async () => {
  const { world, ca, namespace } = await place();
  await create(world, clientCertificate(namespace, 'alice'));
  const object = await csrOf(world, namespace, 'alice');
  const next = await makeCa('Next Offline CA');
  const spec = { instructions: 'post it', trustBundle: { inline: ca.certificate + next.certificate } };
  await patchAuthority(world, namespace, 'ca', { spec: { external: spec } });
  await untilSaid(world, namespace, 'alice', 'post it');
  assert.is((await mapOf(world, namespace, 'alice'))?.metadata?.uid, object.metadata?.uid);
  await answer(world, ca, object);
  await untilReady(world, namespace, 'alice');
});

test('an answer as large as a ConfigMap may be is refused without being parsed, and another may follow', async () => {
  const { world, ca, namespace } = await place();
  await create(world, clientCertificate(namespace, 'alice'));
  const object = await csrOf(world, namespace, 'alice');
  await handIn(world, object, { 'tls.crt': ca.certificate.repeat(Math.floor(LARGE / ca.certificate.length)) });
  const said = await untilSaid(world, namespace, 'alice', "the certificates can't be read");
  assert.ok(said.length <= 1_100, said);
  await answer(world, ca, object);
  await untilReady(world, namespace, 'alice');
});

test("a ConfigMap of that name that isn't Certwheel's stays as it is, and the condition names it", async () => {
  const { world, ca, namespace } = await place();
  const data = { setting: 'theirs' };
  await world.client.create(names.CONFIG_MAPS, { metadata: { namespace, name: 'alice-csr' }, data });
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice', { status: 'False', reason: 'ConfigMapNotOwned' });
  await untilSaid(world, namespace, 'alice', `kubectl delete configmap -n ${namespace} alice-csr`);
  assert.equal((await mapOf(world, namespace, 'alice'))?.data, data);
  await world.client.delete(names.CONFIG_MAPS, namespace, 'alice-csr');
  await answer(world, ca, await csrOf(world, namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
});

for (const [what, change] of Object.entries({
  'whose CSR is that of another key': (foreign: string) => ({ data: { 'request.csr': foreign } }),
  'that nobody can write any more': () => ({ immutable: true }),
}))
  test(`a ConfigMap ${what} is made again, for the same key`, async () => {
    const { world, ca, namespace } = await place();
    for (const name of ['alice', 'mallory']) await create(world, clientCertificate(namespace, name));
    const former = await csrOf(world, namespace, 'alice');
    const early = await signByHand(ca, textOf(former), 1);
    const foreign = textOf(await csrOf(world, namespace, 'mallory'));
    await patch(world, names.CONFIG_MAPS, namespace, 'alice-csr', change(foreign));
    const again = await csrOf(world, namespace, 'alice', former);
    await untilSaid(world, namespace, 'alice', hash('sha256', textOf(again)));
    await handIn(world, again, { 'tls.crt': early });
    await untilReady(world, namespace, 'alice');
    await untilGone(world, namespace, 'alice');
  });

test('a ClusterCertificateAuthority puts the CSR into the namespace of the ClientCertificate', async () => {
  const { world, ca } = await scene.get();
  const namespace = await world.namespace();
  await world.client.create(names.CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: namespace },
    spec: { external: specOf(ca), allowedNamespaces: { names: [namespace] } },
  });
  await untilClusterAuthority(world, namespace);
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: namespace };
  await create(world, clientCertificate(namespace, 'alice', { authorityRef }));
  const object = await csrOf(world, namespace, 'alice');
  const { annotations = {} } = object.metadata ?? {};
  assert.is(annotations[names.AUTHORITY_ANNOTATION], `ClusterCertificateAuthority/${namespace}`);
  await answer(world, ca, object);
  await untilReady(world, namespace, 'alice');
  await untilGone(world, namespace, 'alice');
});

test('nothing is left of a ClientCertificate that is deleted while it waits', async () => {
  const { world, namespace } = await place();
  await create(world, clientCertificate(namespace, 'alice'));
  await csrOf(world, namespace, 'alice');
  await world.client.delete(names.CLIENT_CERTIFICATES, namespace, 'alice');
  await untilGone(world, namespace, 'alice');
});

test.run();
