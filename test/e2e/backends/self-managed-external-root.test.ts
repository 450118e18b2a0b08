import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as names from '../../../src/api/names.ts';
import { resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { clusterUser } from '../process/support/access.ts';
import { patch, patchAuthority, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { authorityStatusOf, clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { type CaFiles, makeCa, openssl, type Pair, withFiles } from '../support/openssl.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { witness } from '../support/witness.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { handIn } from './csr-clerk.ts';
import { createAuthority, untilAuthority, untilClusterAuthority } from './place.ts';

// selfManaged below a root whose key only the test has, under the permissions of the chart.

const CA = [
  'basicConstraints = critical, CA:true, pathlen:0',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
  'authorityKeyIdentifier = keyid',
];
/** How often two controllers are to meet. */
const RACES = 8;
const FLAGS = ['--trust-propagation', '1s'];

const shared = oneWorld();
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  const user = await clusterUser(world, 'rooted');
  let controller = world.launch(FLAGS, user);
  const crash = async () => {
    await controller.kill();
    controller = world.launch(FLAGS, user);
  };
  return { world, root: await makeCa('Offline Root'), crash };
});

function specOf(root: Pair, more: object = {}) {
  const externalRoot = { instructions: 'mail it to ca@example.com', trustBundle: { inline: root.certificate } };
  return { commonName: 'Payments', externalRoot, ...more };
}

/** A namespace with the authority `ca`, which waits for its certificate. */
async function place() {
  const { world, root, crash } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority({ world, namespace }, 'selfManaged', specOf(root));
  return { world, root, crash, namespace, where: { world, namespace } };
}

/** Of the Secret with the key, and of the ConfigMap with the CSR. */
function requestName(authority: string, namespace: string): string {
  return `${authority}-${namespace === 'certwheel-system' ? 'clusterca' : 'ca'}-request`;
}

/** Waits for the CSR, which is another one than `former`. */
function csrOf(world: World, namespace: string, former?: RawObject): Promise<RawObject> {
  return eventually('the CSR of the CA', async () => {
    const found = await world.client.get(names.CONFIG_MAPS, namespace, requestName('ca', namespace));
    return found?.metadata?.uid === former?.metadata?.uid ? undefined : found;
  }).catch(async (error: Error) => {
    const { conditions } = await authorityStatusOf(world, namespace, 'ca');
    throw new Error(`${error.message}; the authority says ${JSON.stringify(conditions)}`, { cause: error });
  });
}

/** The certificate that a person makes with openssl: of the CSR, or for its key and another name. */
function signed({ data }: RawObject, root: Pair, extensions: readonly string[] = CA, name?: string): Promise<string> {
  const files = {
    'ca.crt': root.certificate,
    'ca.key': root.key,
    'request.pem': data?.['request.csr'] ?? '',
    'ca.cnf': extensions.join('\n'),
  };
  return withFiles(files, async (folder) => {
    await openssl(folder, 'req', '-in', 'request.pem', '-pubkey', '-noout', '-out', 'public.pem');
    const asked =
      name === undefined ? ['-req', '-in', 'request.pem'] : ['-new', '-force_pubkey', 'public.pem', '-subj', name];
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '365'];
    await openssl(folder, 'x509', ...asked, ...signer, '-extfile', 'ca.cnf', '-out', 'tls.crt');
    return readFile(join(folder, 'tls.crt'), 'utf8');
  });
}

async function nothingLeft(world: World, namespace: string, name = 'ca') {
  await eventually('the CSR and its key are gone', async () => {
    const kept = await world.client.get(names.SECRETS, namespace, requestName(name, namespace));
    const map = await world.client.get(names.CONFIG_MAPS, namespace, requestName(name, namespace));
    return map === undefined && kept !== undefined && Object.keys(kept.data ?? {}).length === 0;
  });
}

const issuerOf = (chain: string) =>
  chain
    .split(/(?=-----BEGIN)/)
    .slice(1)
    .map((pem) => new X509Certificate(pem).subject);

/** A certificate of that authority, which OpenSSL accepts below the root. */
async function issues(world: World, root: CaFiles, namespace: string, name: string, authorityRef: object) {
  await create(world, clientCertificate(namespace, name, { authorityRef }));
  await untilReady(world, namespace, name);
  const secret = await untilRevision(world, namespace, `${name}-tls`, 1);
  assert.is(secret.bundle.trim(), root.certificate.trim());
  await opensslAccepts(secret.object);
  return secret;
}

test('the CSR waits, also across a crash; once it is signed the CA issues below the root, and nothing is left', async () => {
  const { world, root, crash, namespace, where } = await place();
  const object = await csrOf(world, namespace);
  const waiting = await untilAuthority(where, { status: 'False', reason: 'CAUnsigned' });
  const digest = object.metadata?.annotations?.[names.CSR_DIGEST_ANNOTATION] ?? 'none';
  for (const part of [
    `ConfigMap ${namespace}/ca-ca-request`,
    'mail it to ca@example.com',
    digest,
    '--from-file=tls.crt',
  ])
    assert.match(waiting.message, part);
  await crash();
  await createAuthority(where, 'selfManaged', { commonName: 'Other' }, 'other');
  await untilAuthority(where, {}, { name: 'other' });
  assert.equal(
    (await world.client.get(names.CONFIG_MAPS, namespace, 'ca-ca-request'))?.metadata?.uid,
    object.metadata?.uid,
  );
  await handIn(world, object, { 'tls.crt': await signed(object, root) });
  await untilAuthority(where);
  const secret = await issues(world, root, namespace, 'alice', { name: 'ca' });
  assert.equal(issuerOf(secret.chain), ['CN=Payments v1']);
  await nothingLeft(world, namespace);
});

const WRONG: Readonly<
  Record<
    string,
    { readonly says: string; readonly make: (csr: RawObject, root: Pair, other: CaFiles) => Promise<string> }
  >
> = {
  'the certificate of another CA': {
    says: 'no certificate is for the key of request.csr',
    make: async (_csr, _root, other) => other.certificate,
  },
  'a certificate that is no CA': {
    says: 'is not a CA',
    make: (csr, root) => signed(csr, root, ['basicConstraints = critical, CA:false']),
  },
  'a CA that may not sign certificates': {
    says: 'ca-ca-request',
    make: (csr, root) =>
      signed(csr, root, [...CA.filter((each) => !each.startsWith('keyUsage')), 'keyUsage = critical, cRLSign']),
  },
  'a CA below another root': {
    says: 'which is not in spec.selfManaged.externalRoot.trustBundle',
    make: async (csr, _root, other) => `${await signed(csr, other)}${other.certificate}`,
  },
  'a CA of another name': {
    says: 'not "Payments v1" as in the CSR',
    make: (csr, root) => signed(csr, root, CA, '/CN=Mine'),
  },
  garbage: { says: "the certificates can't be read", make: async () => 'garbage' },
};

test('a wrong certificate is refused with what is wrong, the CSR stays, and the right one may follow', async () => {
  const { world, root, namespace, where } = await place();
  const object = await csrOf(world, namespace);
  const other = await makeCa('Other Root');
  for (const { says, make } of Object.values(WRONG)) {
    await handIn(world, object, { 'tls.crt': await make(object, root, other) });
    await untilAuthority(where, { status: 'False', reason: 'CAPairRefused', says });
  }
  assert.equal((await csrOf(world, namespace)).metadata?.uid, object.metadata?.uid);
  await handIn(world, object, { 'tls.crt': null, denied: 'not yet' });
  await untilAuthority(where, { status: 'False', reason: 'CAUnsigned', says: 'was denied: not yet' });
  await handIn(world, object, { 'tls.crt': await signed(object, root), denied: null });
  await untilAuthority(where);
});

test('the next CA that is asked for waits for its certificate while the former one signs, and then replaces it', async () => {
  const { world, root, namespace, where } = await place();
  const first = await csrOf(world, namespace);
  await handIn(world, first, { 'tls.crt': await signed(first, root) });
  await untilAuthority(where);
  await issues(world, root, namespace, 'alice', { name: 'ca' });
  await nothingLeft(world, namespace);
  // A CA of the same second would be the answer to it.
  const annotations = { [names.ROTATE_CA_ANNOTATION]: new Date(Date.now() + 2_000).toISOString() };
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
  const second = await csrOf(world, namespace);
  await eventually('the authority says what it waits for', async () => {
    const status = await authorityStatusOf(world, namespace, 'ca');
    const stalled = conditionOf(status, 'Stalled');
    const isWaiting = stalled?.reason === 'CAUnsigned' && stalled.message.includes('the present CA ends in 364 days');
    return isWaiting && conditionOf(status, 'Ready')?.status === 'True';
  });
  await issues(world, root, namespace, 'bob', { name: 'ca' });
  await handIn(world, second, { 'tls.crt': await signed(second, root) });
  const renewed = await untilRevision(world, namespace, 'alice-tls', 2, 60_000);
  assert.equal(issuerOf(renewed.chain), ['CN=Payments v2']);
  await opensslAccepts(renewed.object);
  await nothingLeft(world, namespace);
  assert.is(conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Stalled'), undefined);
});

test('another common name has another CSR, and one that is removed comes again for the same key', async () => {
  const { world, root, namespace, where } = await place();
  const first = await csrOf(world, namespace);
  await patchAuthority(world, namespace, 'ca', { spec: { selfManaged: { commonName: 'Orders' } } });
  const second = await csrOf(world, namespace, first);
  const early = await signed(second, root);
  await patch(world, names.CONFIG_MAPS, namespace, 'ca-ca-request', { data: { 'request.csr': 'mine' } });
  const third = await csrOf(world, namespace, second);
  await handIn(world, third, { 'tls.crt': early });
  await untilAuthority(where);
  const secret = await issues(world, root, namespace, 'alice', { name: 'ca' });
  assert.equal(issuerOf(secret.chain), ['CN=Orders v1']);
});

test('an authority that gets an external root later keeps its CA until one below that root is signed', async () => {
  const { world, root } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority({ world, namespace }, 'selfManaged', { commonName: 'Payments' });
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  await patchAuthority(world, namespace, 'ca', { spec: { selfManaged: specOf(root) } });
  const object = await csrOf(world, namespace);
  await create(world, clientCertificate(namespace, 'bob'));
  await untilReady(world, namespace, 'bob');
  await handIn(world, object, { 'tls.crt': await signed(object, root) });
  const renewed = await untilRevision(world, namespace, 'alice-tls', 2, 60_000);
  assert.equal(issuerOf(renewed.chain), ['CN=Payments v2']);
  await nothingLeft(world, namespace);
});

test('two controllers at once hand out one CSR for each CA', async () => {
  const { world, root } = await scene.get();
  const other = await world.controller(FLAGS);
  const book = await witness(world, resourcePath(names.CONFIG_MAPS));
  try {
    const namespaces = await Promise.all(Array.from({ length: RACES }, () => world.namespace()));
    await Promise.all(
      namespaces.map((namespace) => createAuthority({ world, namespace }, 'selfManaged', specOf(root))),
    );
    for (const namespace of namespaces) {
      const object = await csrOf(world, namespace);
      await handIn(world, object, { 'tls.crt': await signed(object, root) });
    }
    for (const namespace of namespaces) {
      await untilAuthority({ world, namespace });
      await nothingLeft(world, namespace);
    }
    await book.settled();
    const handedOut = book.all().filter(({ object }) => namespaces.includes(object.metadata?.namespace ?? ''));
    const requests = handedOut.map(({ object }) => object.metadata?.annotations?.[names.REQUEST_ANNOTATION]);
    assert.is(new Set(requests).size, RACES);
  } finally {
    book.stop();
    await other.stop();
  }
});

test("a ClusterCertificateAuthority hands its CSR out in the controller's namespace", async () => {
  const { world, root } = await scene.get();
  const namespace = await world.namespace();
  await world.client.create(names.CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: 'ca' },
    spec: { selfManaged: specOf(root), allowedNamespaces: { names: [namespace] } },
  });
  const object = await csrOf(world, 'certwheel-system');
  await handIn(world, object, { 'tls.crt': await signed(object, root) });
  await untilClusterAuthority(world, 'ca');
  await issues(world, root, namespace, 'alice', { kind: 'ClusterCertificateAuthority', name: 'ca' });
  await nothingLeft(world, 'certwheel-system');
});

test.run();
