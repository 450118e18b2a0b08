/** docs/how-to/replace-a-ca.md on a real control plane: its commands, what they print, and the states of its table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { authorityStatusOf, clientCertificate, create, untilReady } from '../support/objects.ts';
import { commandsWithOutput, commandText, timeless } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const PAGE = 'docs/how-to/replace-a-ca.md';
const PATIENCE_MS = 90_000;

// The page names a namespace, which other files that share a control plane could have too.
const scene = oneScene({ own: true, authority: false });
test.after(scene.stop);

/** OpenSSL of other versions writes names without the blanks. */
const comparable = (output: string) =>
  timeless(output)
    .replaceAll(/(?<=notAfter=).*/g, 'TIME')
    .replaceAll(' = ', '=')
    .trim();

/** Runs the only command block below a heading, and compares what it prints. */
async function follow(world: World, folder: string, heading: string, change = (text: string) => text): Promise<void> {
  const [{ commands, output } = { commands: '', output: '' }] = commandsWithOutput(PAGE, heading);
  assert.is(comparable(await runCommands(world, change(commands), folder)), comparable(change(output)));
}

/** The rows of the table: generations, message and the CAs in ca.crt. */
function rows(): string[][] {
  const text = readFileSync(join(import.meta.dirname, '../../..', PAGE), 'utf8');
  const [, table = ''] = /^\| time here .*\n\|[- |]+\n((?:\|.*\n)+)/m.exec(text) ?? [];
  return table
    .trim()
    .split('\n')
    .map((row) =>
      row
        .split(' | ')
        .slice(1)
        .map((cell) => cell.replace(/ \|$/, '')),
    );
}

const named = (version: number) => (text: string) => text.replaceAll('v2', `v${version}`);

test('the commands of the page replace a CA of OpenSSL, and each row of its table comes', async () => {
  const { world } = await scene.get();
  const folder = commandFolder(world);
  const run = (commands: string) => runCommands(world, commands, folder);
  await run('kubectl create namespace payments');
  await run(named(1)(commandText(PAGE, 'Make the next pair')));
  await run(named(1)(commandText(PAGE, 'Start')));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace: 'payments', name: 'payments-ca' },
    spec: { secret: { name: 'payments-ca' }, caRotation: { propagation: '6s', retireAfter: '0s' } },
  });
  const spec = { authorityRef: { name: 'payments-ca' }, duration: '3m' };
  for (const name of ['billing', 'refunds']) await create(world, clientCertificate('payments', name, spec));
  for (const name of ['billing', 'refunds']) await untilReady(world, 'payments', name);

  await follow(world, folder, 'Make the next pair');
  await follow(world, folder, 'Start');
  const found = rows();
  assert.is(found.length, 3);
  for (const [generations = '', message = '', cas = ''] of found) {
    const [beginning = ''] = message === 'the condition is gone' ? [''] : message.split('...');
    const wanted = comparable(`${generations.replaceAll(', ', '\n')}\n${beginning}`);
    const printed = async () => comparable(await run(commandText(PAGE, 'Watch')));
    const shown = await eventually(
      generations,
      async () => {
        const text = await printed();
        return text.startsWith(wanted) && text;
      },
      PATIENCE_MS,
      100,
    ).catch(async () => assert.is(await printed(), wanted));
    const subjects = [...(shown ?? '').matchAll(/Subject:.*(v\d)$/gm)].map(([, version]) => version);
    assert.equal(subjects.sort(), cas.split(', ').sort(), generations);
    if (beginning === '') assert.not.match(shown ?? '', 'generation');
  }
});

test('the commands of the page go back to the former CA while it is not Retired', async () => {
  const { world } = await scene.get();
  const folder = commandFolder(world);
  for (const heading of ['Make the next pair', 'Start'])
    await runCommands(world, named(3)(commandText(PAGE, heading)), folder);
  await eventually(
    'generation 3 signs',
    async () => (await authorityStatusOf(world, 'payments', 'payments-ca')).activeGeneration === 3,
    PATIENCE_MS,
  );
  const [annotate = '', ask = ''] = commandText(PAGE, 'Go back').replaceAll('=2', '=3').trim().split('\n');
  await runCommands(world, annotate, folder);
  const [{ output } = { output: '' }] = commandsWithOutput(PAGE, 'Go back');
  const [, answer = ''] = output.split('\n');
  // The page has generations 1 and 2, and this is the CA rotation after that.
  const wanted = answer.replaceAll(/(?<=ca=|generation )\d/g, (version) => `${Number(version) + 1}`);
  await eventually('the roll-back is answered', async () => (await runCommands(world, ask, folder)).includes(wanted));
  assert.is((await authorityStatusOf(world, 'payments', 'payments-ca')).activeGeneration, 2);
});

test.run();
