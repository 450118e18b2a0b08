import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openWithPassword } from '../../../src/backends/step-ca/jwe.ts';
import { openssl } from '../../pki/openssl.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { place } from './place.ts';
import { makeStepCa, PASSWORD_FILE, type StepCa } from './servers/step-ca.ts';
import type { CaPlace } from './servers/step-ca-files.ts';
import { addK8sSAProvisioner, addProvisioner, addX5cProvisioner } from './servers/step-provisioner.ts';
import { askDirectly, backendOf } from './step-ca-direct.ts';
import {
  commandsByTool,
  commandsOf,
  createExample,
  follow,
  K8SSA,
  pageTemplate,
  pageTemplateOfK8sSA,
  shell,
  X5C,
} from './step-ca-page.ts';
import { addCertwheel } from './step-ca-subject.ts';
import type { Place } from './subject.ts';

// The commands of docs/authorities/step-ca.md with the real step CLI, on a CA by `step ca init`. All other tests write
// the same files without the CLI, whose build takes minutes; the last test here compares the two.

const ADD = '--type JWK --ca-config "$(step path)/config/ca.json"';
const never = new AbortController().signal;

const worlds = oneWorld();
const servers = lazily(async () => {
  const ca = await makeStepCa(initByStep);
  await step(ca, commandsOf('The provisioner'));
  await ca.start();
  return ca;
});
test.after(async () => {
  await worlds.stop();
  await servers.stop();
});

async function step(ca: Pick<StepCa, 'folder'>, commands: string): Promise<string> {
  return shell(ca, commands, [await ensureProgram('step')]);
}

async function initByStep({ folder, host, port }: CaPlace): Promise<void> {
  const names = `--name Test --dns ${host} --address ${host}:${port}`;
  await step(
    { folder },
    `step ca init --deployment-type standalone ${names} --provisioner admin --password-file ${PASSWORD_FILE}`,
  );
}

let controller: Promise<unknown> | undefined;
/** The example, filled in by the commands of the page, with a certificate `alice`. */
async function exampleWithAlice(): Promise<{ where: Place; ca: StepCa; withStep(commands: string): Promise<string> }> {
  const [world, ca, program] = await Promise.all([worlds.get(), servers.get(), ensureProgram('step')]);
  controller ??= world.controller(['--allow-loopback-authorities']);
  await controller;
  const where = await place(world);
  const withStep = (commands: string) => follow(where, ca, commands, [program]);
  const printed = (await withStep(commandsOf('The authority'))).trim().split('\n');
  await createExample(where, ca, printed.at(-1) ?? '');
  await create(world, clientCertificate(where.namespace, 'alice'));
  await untilReady(world, where.namespace, 'alice');
  return { where, ca, withStep };
}

test('the example, filled in by the commands of the page, is an authority that issues', async () => {
  const { withStep } = await exampleWithAlice();
  assert.match(await withStep(commandsOf('Another key for the provisioner')), 'secret/step-ca-provisioner');
});

test('a provisioner that is removed and added again, with another key in the same Secret, goes on issuing', async () => {
  const { where, ca, withStep } = await exampleWithAlice();
  const former = ca.read('provisioner.key');
  const remove = 'step ca provisioner remove certwheel --ca-config "$(step path)/config/ca.json"';
  await withStep(`${remove}\nrm provisioner.*\n${commandsOf('The provisioner')}`);
  assert.is.not(ca.read('provisioner.key'), former);
  await ca.start();
  await withStep(commandsOf('Another key for the provisioner'));
  await renewAt(where.world, where.namespace, 'alice');
  await untilRevision(where.world, where.namespace, 'alice-tls', 2, 60_000);
});

for (const kind of [
  '--kty EC --crv P-384',
  '--kty EC --crv P-521',
  '--kty OKP --crv Ed25519',
  '--kty RSA --size 2048',
]) {
  test(`the key of a provisioner may be ${kind}`, async () => {
    const ca = await servers.get();
    const name = `kind${kind.replaceAll(/[^A-Za-z0-9]/g, '')}`;
    await step(
      ca,
      `
      step crypto jwk create ${name}.pub ${name}.key ${kind} --password-file provisioner.password
      step ca provisioner add ${name} --public-key ${name}.pub --x509-template certwheel.tpl ${ADD}`,
    );
    await ca.start();
    const key = Buffer.from(ca.read(`${name}.key`));
    const backend = backendOf(ca, name, { key, password: Buffer.from(ca.read('provisioner.password')) });
    await backend.check(never);
    assert.is((await askDirectly(backend)).subjectText, 'CN=direct');
  });
}

test('the encrypted key of a provisioner by --create is fetched from step-ca', async () => {
  const ca = await servers.get();
  await step(
    ca,
    `step ca provisioner add created --create --password-file provisioner.password --x509-template certwheel.tpl ${ADD}`,
  );
  await ca.start();
  const backend = backendOf(ca, 'created', { password: Buffer.from(ca.read('provisioner.password')) });
  await backend.check(never);
  assert.is((await askDirectly(backend)).subjectText, 'CN=direct');
});

test('step makes provisioners of type X5C and K8sSA by the commands of the page, as the other tests make them', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const [byStep, byTests] = await Promise.all([makeStepCa(initByStep), makeStepCa()]);
  try {
    const roots = byTests.root;
    byStep.write('login-ca.crt', roots);
    byStep.write('sa.pub', key);
    byStep.write('certwheel.tpl', pageTemplate());
    for (const heading of [X5C, K8SSA]) await step(byStep, commandsByTool(heading).step);
    addX5cProvisioner(byTests, 'certwheel-x5c', roots, pageTemplate());
    addK8sSAProvisioner(byTests, 'certwheel-k8s', key, pageTemplateOfK8sSA());
    const { provisioners } = configOf(byTests).authority;
    assert.is(provisioners.length, 3);
    assert.equal(provisioners, configOf(byStep).authority.provisioners);
    await byStep.start();
  } finally {
    await Promise.all([byStep.stop(), byTests.stop()]);
  }
});

test('step writes what the other tests write without step: a CA, provisioners and their keys', async () => {
  const [byStep, byTests] = await Promise.all([makeStepCa(initByStep), makeStepCa()]);
  try {
    assert.equal(configOf(byTests), configOf(byStep));
    for (const name of ['root_ca.crt', 'intermediate_ca.crt'])
      assert.is(profileOf(byTests, `certs/${name}`), profileOf(byStep, `certs/${name}`));

    await step(byStep, commandsOf('The provisioner'));
    await step(byStep, `step ca provisioner add plain --create --password-file provisioner.password ${ADD}`);
    addCertwheel(byTests);
    addProvisioner(byTests, { name: 'plain', password: byTests.read('provisioner.password'), published: true });
    const { provisioners } = configOf(byTests).authority;
    assert.is(provisioners.length, 3);
    assert.equal(provisioners, configOf(byStep).authority.provisioners);
    assert.equal(await keyFileOf(byTests), await keyFileOf(byStep));
  } finally {
    await Promise.all([byStep.stop(), byTests.stop()]);
  }
});

/** ca.json without what differs from CA to CA: its folder, its port, and keys. */
function configOf(ca: StepCa): { authority: { provisioners: object[] } } {
  const text = ca.read('config/ca.json').replaceAll(ca.folder, '').replaceAll(new URL(ca.url).host, '');
  return JSON.parse(text, (member, value) => {
    if (member === 'encryptedKey') return headerOf(value.split('.')[0]);
    return ['kid', 'x', 'y'].includes(member) ? typeof value : value;
  });
}

/** How the key of the page's provisioner is encrypted, and which members it has once Certwheel has opened it. */
async function keyFileOf(ca: StepCa): Promise<object> {
  const text = ca.read('provisioner.key');
  const password = Buffer.from(ca.read('provisioner.password').trim());
  const jwk = JSON.parse((await openWithPassword(text, password)).toString());
  const { protected: header, ...parts } = JSON.parse(text);
  return { header: headerOf(header), parts: Object.keys(parts).sort(), members: Object.keys(jwk).sort() };
}

function headerOf(encoded: string): object {
  const { p2s, ...header } = JSON.parse(Buffer.from(encoded, 'base64url').toString());
  return { ...header, p2s: typeof p2s };
}

/** What a certificate of a CA says, without keys and times. */
function profileOf(ca: StepCa, path: string): string {
  const shown = ['-subject', '-issuer', '-ext', 'basicConstraints,keyUsage'];
  const { ok, out, text } = openssl(['x509', '-in', join(ca.folder, path), '-noout', ...shown]);
  if (!ok) throw new Error(text);
  return out;
}

test.run();
