import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, EVENTS } from '../../../src/api/names.ts';
import { patchAuthority, renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { commandText } from '../support/page.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { createAuthority, place, readyAuthority, untilAuthority } from './place.ts';
import { makeStepCa } from './servers/step-ca.ts';
import { askDirectly, backendOf } from './step-ca-direct.ts';
import { CREDENTIALS, putCredentials, serve, specOf, stepCaSubject } from './step-ca-subject.ts';
import type { Place, Shared } from './subject.ts';

const EXAMPLE = join(import.meta.dirname, '../../../examples/authorities/step-ca/authority.yaml');
const never = new AbortController().signal;

const worlds = oneWorld();
const servers = lazily(async () => serve(await makeStepCa()));
test.after(async () => {
  await worlds.stop();
  await servers.stop();
});

let controller: Promise<Shared['controller']> | undefined;
async function shared() {
  const [world, served] = await Promise.all([worlds.get(), servers.get()]);
  controller ??= world.controller(['--allow-loopback-authorities']);
  return { world, served, controller: await controller };
}

test('the example, filled in by the commands of the page, is an authority that issues', async () => {
  const here = await shared();
  const { ca } = here.served;
  const { world, namespace } = await place(here.world);
  const { kubeconfigPath, kubectlPath } = world.cluster;
  const follow = (heading: string) => {
    const commands = commandText('docs/authorities/step-ca.md', heading).replaceAll('payments', namespace);
    return ca.sh(`export KUBECONFIG=${kubeconfigPath} PATH="$PATH:${dirname(kubectlPath)}"\n${commands}`);
  };
  const printed = (await follow('The authority')).trim().split('\n');
  const { spec } = load(readFileSync(EXAMPLE, 'utf8')) as { spec: { stepCA: Record<string, unknown> } };
  const stepCA = { ...spec.stepCA, server: ca.url, rootFingerprints: printed.slice(-1) };
  const object = { metadata: { namespace, name: 'ca' }, spec: { ...spec, stepCA } };
  await world.client.create(CERTIFICATE_AUTHORITIES, object);
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  assert.match(await follow('Another key for the provisioner'), 'secret/step-ca-provisioner');
});

test("step-ca's own template is enough for what it can do, and nothing else is asked of it", async () => {
  const here = await shared();
  const { ca, server } = here.served;
  const where = await place(here.world);
  const { world, namespace } = where;
  const add = ['ca', 'provisioner', 'add', 'plain', '--type', 'JWK', '--create'];
  const files = ['--password-file', `${ca.folder}/provisioner.password`, '--ca-config', `${ca.folder}/config/ca.json`];
  await ca.step(...add, ...files);
  await ca.start();
  // The encrypted key is fetched from step-ca itself.
  await putCredentials(where, { password: ca.read('provisioner.password') });
  const provisioner = { name: 'plain', secretRef: { name: CREDENTIALS } };
  await createAuthority(where, 'stepCA', { ...specOf(ca, server.proxy.url), provisioner });
  await untilAuthority(where);

  const usages = ['digital signature', 'client auth', 'server auth'];
  const refused = {
    usages: {},
    uri: { commonName: undefined, uris: ['spiffe://example.com/a'], usages },
    subject: { subject: { organizations: ['Example'] }, usages },
  };
  for (const [name, spec] of Object.entries(refused)) await create(world, clientCertificate(namespace, name, spec));
  for (const name of Object.keys(refused)) {
    const failure = await eventually(
      `${name} is refused`,
      async () => (await statusOf(world, namespace, name)).lastFailure,
    );
    assert.is(failure.reason, 'UnsupportedByAuthority');
    assert.match(failure.message, "provisioner plain has step-ca's own template, which ");
  }
  assert.not.ok(server.proxy.exchanges.some(server.asksForCertificate));

  await create(world, clientCertificate(namespace, 'alice', { usages, dnsNames: ['alice.example.com'] }));
  await create(world, clientCertificate(namespace, 'bob', { usages }));
  for (const name of ['alice', 'bob']) await untilReady(world, namespace, name);
});

for (const kind of [
  '--kty EC --crv P-384',
  '--kty EC --crv P-521',
  '--kty OKP --crv Ed25519',
  '--kty RSA --size 2048',
]) {
  test(`the key of a provisioner may be ${kind}`, async () => {
    const { ca } = (await shared()).served;
    const name = `kind${kind.replaceAll(/[^A-Za-z0-9]/g, '')}`;
    await ca.sh(`
      step crypto jwk create ${name}.pub ${name}.key ${kind} --password-file provisioner.password
      step ca provisioner add ${name} --type JWK --public-key ${name}.pub --x509-template certwheel.tpl \\
        --ca-config "$(step path)/config/ca.json"`);
    await ca.start();
    const key = Buffer.from(ca.read(`${name}.key`));
    const backend = backendOf(ca, name, { key, password: Buffer.from(ca.read('provisioner.password')) });
    await backend.check(never);
    assert.is((await askDirectly(backend)).subjectText, 'CN=direct');
  });
}

test('a root is replaced in four steps, and no Secret is ever without what verifiers need', async () => {
  const here = await shared();
  const { ca } = here.served;
  const where = await readyAuthority(here, stepCaSubject);
  const { world, namespace } = where;
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const old = { root: `${ca.folder}/certs/root_ca.crt`, fingerprint: ca.fingerprint };
  const next = await ca.makeRoot();
  const nextRoot = new X509Certificate(readFileSync(next.root));

  ca.configure((config) => {
    config.root = [next.root, old.root];
  });
  await ca.start();
  await lookAgain(where);
  assert.is((await untilTrusted(where, 2)).annotations['certwheel.io/revision'], '1');

  const both = [old.fingerprint, createHash('sha256').update(nextRoot.raw).digest('hex')];
  await setFingerprints(where, both);
  await untilAuthority(where);
  ca.configure((config) => {
    config.crt = next.crt;
    config.key = next.key;
  });
  await ca.start();
  await renewAt(world, namespace, 'alice');
  const renewed = await untilRevision(world, namespace, 'alice-tls', 2, 45_000);
  await opensslAccepts(renewed.object);
  assert.match(renewed.leaf.issuer, 'Test Intermediate CA 2');

  ca.configure((config) => {
    config.root = next.root;
  });
  await ca.start();
  await setFingerprints(where, both.slice(1));
  await lookAgain(where);
  const last = await untilTrusted(where, 1);
  await opensslAccepts(last.object);
  assert.is(last.leaf.serialNumber, renewed.leaf.serialNumber);
  assert.is(new X509Certificate(last.bundle).fingerprint256, nextRoot.fingerprint256);

  // Whoever knows the old root alone is told what to do.
  await setFingerprints(where, both.slice(0, 1));
  assert.match((await untilAuthority(where, { status: 'False' })).message, 'rootFingerprints');
});

test('neither a token nor a password is in the log, nor in an event', async () => {
  const { controller: process, served, world } = await shared();
  const { items } = await world.client.list(EVENTS);
  const told = JSON.stringify([process.logs, process.errors, items]);
  assert.ok(process.logs.length > 0 && items.length > 0);
  // All tokens begin so: it is the base64 of the brace and the quotation mark that begin a header.
  assert.not.match(told, 'eyJ');
  assert.not.match(told, served.ca.read('provisioner.password').trim());
});

async function lookAgain({ world, namespace }: Place): Promise<void> {
  const annotations = { 'example.com/touched': new Date().toISOString() };
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
}

async function setFingerprints({ world, namespace }: Place, rootFingerprints: readonly string[]): Promise<void> {
  await patchAuthority(world, namespace, 'ca', { spec: { stepCA: { rootFingerprints } } });
}

/** Waits until ca.crt holds so many roots. */
function untilTrusted({ world, namespace }: Place, count: number) {
  return eventually(`ca.crt holds ${count} roots`, async () => {
    const secret = await readSecret(world, namespace, 'alice-tls');
    return secret?.bundle.match(/BEGIN CERTIFICATE/g)?.length === count && secret;
  });
}

test.run();
