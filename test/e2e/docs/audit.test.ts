import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NAMESPACES } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { commandsWithOutput, commandText } from '../support/page.ts';
import { oneWorld } from '../support/world.ts';

// Every command of docs/audit.md and docs/compliance.md, on a real control plane with a log of the real controller.

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
// The pages name the namespaces.
const shared = oneWorld({ own: true });
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  for (const name of ['certwheel-system', 'shop']) await world.client.create(NAMESPACES, { metadata: { name } });
  const folder = commandFolder(world);
  // The name of the program in the pages.
  writeFileSync(join(folder, 'certwheel'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(join(folder, 'certwheel'), 0o755);
  const controller = await world.controller(['--audit-log', join(folder, 'audit.log')]);
  const rules = [{ name: 'web', commonNames: ['web'] }];
  await createAuthority(world, selfManaged('shop', 'ca', { issuancePolicy: { rules } }));
  for (const name of ['web', 'mallory']) await create(world, clientCertificate('shop', name));
  await untilReady(world, 'shop', 'web');
  await untilReady(world, 'shop', 'mallory', { status: 'False', reason: 'DeniedByPolicy' });
  await renewAt(world, 'shop', 'web');
  await untilRevision(world, 'shop', 'web-tls', 2, 10_000);
  // Its last checkpoint is written when it stops.
  assert.is(await controller.stop(), 0);
  const run = (commands: string) => runCommands(world, `PATH="${folder}:$PATH"\n${commands}`, folder);
  return { run };
});

const PARTS: readonly (readonly [heading: string, prints: RegExp])[] = [
  ['E1 Inventory of certificates and keys', /shop +web +ca +[0-9a-f]{32} +ECDSA +\S{43}= /],
  ['E2 Inventory of CAs', /CertificateAuthority\/shop\/ca\n {2}v1 Active [0-9a-f]{64} until 20/],
  ['E3 Who may hold which identity', /"rules":\[\{.*"commonNames":\["web"\]/],
  ['E4 Who approved what', /no approvals/],
  ['E5 What was denied', /"name":"mallory".*"reason":"DeniedByPolicy"/],
  ['E6 The log is complete and unchanged', /^\d+ lines of 1 segment .*: intact$/m],
  ['E7 The holder of a certificate, its key and its requester', /held by: +ClientCertificate shop\/web, uid /],
  ['E8 Changes of a key', /^[0-9a-f]{32} \S{43}=\n[0-9a-f]{32} \S{43}=\n$/],
  ['E9 Life of a CA: created, trusted, active, retired', /"reason":"CAGenerationCreated"/],
  ['E10 Revocations', /no revocations/],
  ['E11 Which CA certificates verifiers must trust', /"event":"trustChanged".*"anchors":\["[0-9a-f]{64}"\]/],
  ['E12 Certificates that are late, and other failures', /shop\/mallory Ready=False DeniedByPolicy/],
  ['E13 Who can read the keys, and what the controller may do', /selfsubjectreviews/],
  ['E14 The cryptographic module', /^OpenSSL \d+\.\d+\.\d+, FIPS mode 0$/m],
];

for (const [heading, prints] of PARTS)
  test(`docs/compliance.md prints ${heading}`, async () => {
    const { run } = await scene.get();
    assert.match(await run(commandText('docs/compliance.md', heading)), prints);
  });

test('the keys that E8 prints are two', async () => {
  const { run } = await scene.get();
  const lines = (await run(commandText('docs/compliance.md', 'E8 Changes of a key'))).trim().split('\n');
  assert.is(new Set(lines.map((line) => line.split(' ')[1])).size, 2);
});

test('the commands of docs/audit.md confirm a hash with sed and sha256sum', async () => {
  const { run } = await scene.get();
  const [made = '', stated = ''] = (await run(commandText('docs/audit.md', 'The hash chain'))).split('\n');
  assert.is(made.split(' ')[0], stated);
  assert.match(stated, /^[0-9a-f]{64}$/);
});

test('the commands of docs/audit.md verify the log, with the cluster and with a copy of its checkpoint', async () => {
  const { run } = await scene.get();
  const printed = await run(commandText('docs/audit.md', 'Verify'));
  assert.is(printed.match(/intact/g)?.length, 2, printed);
});

test('the owner of a certificate is printed as docs/audit.md shows it', async () => {
  const { run } = await scene.get();
  const [{ commands = '', output = '' } = {}] = commandsWithOutput('docs/audit.md', 'Who holds a certificate');
  const fields = (text: string) => [...text.matchAll(/^([\w ()-]+):/gm)].map(([, name]) => name);
  // The page shows one who is known by name.
  assert.equal(fields(await run(commands)), fields(output));
});

test.run();
