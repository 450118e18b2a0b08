import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EVENTS } from '../../../src/api/names.ts';
import { patchAuthority } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { createAuthority, place, readyAuthority, untilAuthority } from './place.ts';
import { makeStepCa } from './servers/step-ca.ts';
import { addProvisioner } from './servers/step-provisioner.ts';
import { askDirectly, backendOf } from './step-ca-direct.ts';
import { commandsOf, createExample, follow, pageTemplate } from './step-ca-page.ts';
import { CREDENTIALS, putCredentials, serve, specOf, stepCaSubject } from './step-ca-subject.ts';
import { CONCEALED, type Place, type Shared } from './subject.ts';

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

test('the example, filled in after the page, is an authority that issues', async () => {
  const here = await shared();
  const { ca } = here.served;
  const where = await place(here.world);
  const { world, namespace } = where;
  // step-cli.long.test.ts runs the commands of step too; here their files are written already.
  const withKubectl = (heading: string) => follow(where, ca, commandsOf(heading).replaceAll(/^step .*\n/gm, ''));
  await withKubectl('The authority');
  await createExample(where, ca, ca.fingerprint);
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  assert.match(await withKubectl('Another key for the provisioner'), 'secret/step-ca-provisioner');
});

test("step-ca's own template is enough for what it can do, and nothing else is asked of it", async () => {
  const here = await shared();
  const { ca, server } = here.served;
  const where = await place(here.world);
  const { world, namespace } = where;
  const password = ca.read('provisioner.password');
  addProvisioner(ca, { name: 'plain', password, published: true });
  await ca.start();
  // The encrypted key is fetched from step-ca itself.
  await putCredentials(where, { password });
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

for (const alg of ['ES384', 'ES512', 'EdDSA', 'RS256'] as const) {
  test(`the key of a provisioner may be one for ${alg}`, async () => {
    const { ca } = (await shared()).served;
    const password = ca.read('provisioner.password');
    const key = addProvisioner(ca, { name: alg, password, alg, template: pageTemplate() });
    await ca.start();
    const backend = backendOf(ca, alg, { key: Buffer.from(key), password: Buffer.from(password) });
    await backend.check(never);
    assert.is((await askDirectly(backend)).subjectText, 'CN=direct');
  });
}

test('a fingerprint of a root that step-ca no longer has: the log names the field', async () => {
  const here = await shared();
  const { ca } = here.served;
  const where = await readyAuthority(here, stepCaSubject);
  const next = await ca.makeRoot();
  ca.configure((config) => Object.assign(config, next));
  await ca.start();
  try {
    await lookAgain(where);
    await untilAuthority(where, { status: 'False', ...CONCEALED });
    const { logs } = here.controller;
    await eventually('the log names the field that holds the roots', () =>
      logs.some(
        ({ authority, error }) => authority === `${where.namespace}/ca` && String(error).includes('rootFingerprints'),
      ),
    );
  } finally {
    const path = (name: string) => `${ca.folder}/${name}`;
    const first = { root: path('certs/root_ca.crt'), crt: path('certs/intermediate_ca.crt') };
    ca.configure((config) => Object.assign(config, first, { key: path('secrets/intermediate_ca_key') }));
    await ca.start();
  }
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

test.run();
