import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { commandFolder, runCommands } from '../support/commands.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { openssl, type Pair } from '../support/openssl.ts';
import { type Block, blocksInOrder } from '../support/page.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { untilAuthority } from './place.ts';

// docs/authorities/external.md and its example, as a reader follows them with openssl and kubectl.

const PAGE = 'docs/authorities/external.md';
const EXAMPLE = join(import.meta.dirname, '../../../examples/authorities/external/authority.yaml');
const NAMESPACE = 'payments';

const shared = oneWorld();
/** The CA of the page. */
let rootOf: Pair;
test.after(shared.stop);

test('the page leads from an openssl CA to a certificate, a renewal and a denial', async () => {
  const world = await shared.get();
  await world.controller();
  await world.cluster.kubectl(['create', 'namespace', NAMESPACE]);
  console.log(`# ${(await openssl('.', 'version')).trim()}`);
  const folder = commandFolder(world);
  const run = (commands: string) => runCommands(world, commands, folder);
  const follow = async ({ language, text }: Block) =>
    language === 'yaml' ? world.cluster.kubectl(['apply', '-f', '-'], { input: text }) : run(text);

  for (const block of blocksInOrder(PAGE, 'Set it up')) await follow(block);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  rootOf = { certificate: read('ca.crt'), key: read('ca.key') };
  await untilAuthority({ world, namespace: NAMESPACE }, {}, { name: 'offline' });
  const waiting = () =>
    eventually('the CSR waits', async () => {
      const message = conditionOf(await statusOf(world, NAMESPACE, 'orders'), 'Issuing')?.message ?? '';
      return message.includes('orders-csr') && message;
    });
  const signing = blocksInOrder(PAGE, 'Sign a CSR').map(({ text }) => text);
  const deny = signing.find((text) => text.includes('denied')) ?? '';
  const sign = signing.filter((text) => text !== deny).join('\n');

  const first = await waiting();
  const printed = await run(sign);
  const [, digest = 'no SHA-256'] = /^([0-9a-f]{64}) {2}orders-csr.pem$/m.exec(printed) ?? [];
  assert.match(first, digest);
  assert.match(printed, /^payments +orders-csr /m);
  assert.match(printed, /Subject: CN = orders/);
  const { object, chain } = await untilRevision(world, NAMESPACE, 'orders-tls', 1);
  assert.is(chain, read('tls.crt'));
  await opensslAccepts(object);
  await untilReady(world, NAMESPACE, 'orders');

  await renewAt(world, NAMESPACE, 'orders');
  const next = await waiting();
  assert.match(next, 'the present certificate ends in 89 days');
  // As the condition has the commands.
  const [, fetch = ''] = /fetch it \(SHA-256 \w+\): (.*?); hand/.exec(next) ?? [];
  const [, hand = ''] = /hand the chain in: (.*)$/.exec(next) ?? [];
  const signAlone = /openssl x509 -req[\s\S]*?-out tls.crt/.exec(sign)?.[0] ?? '';
  await run(`${fetch}\n${signAlone.replace('orders-csr.pem', 'request.pem')}\n${hand}`);
  await untilRevision(world, NAMESPACE, 'orders-tls', 2);

  await renewAt(world, NAMESPACE, 'orders', new Date().toISOString());
  await waiting();
  await run(deny);
  const denied = await untilReady(world, NAMESPACE, 'orders', { type: 'Stalled', reason: 'RequestDenied' });
  assert.match(conditionOf(denied, 'Stalled')?.message ?? '', 'no ticket for this name');
});

test("the page leads to a CA of Certwheel's own below the root", async () => {
  const world = await shared.get();
  const folder = commandFolder(world, { 'ca.crt': rootOf.certificate, 'ca.key': rootOf.key });
  const [authority, signing] = blocksInOrder(PAGE, "An offline root above a CA of Certwheel's own");
  await world.cluster.kubectl(['apply', '-f', '-'], { input: authority?.text ?? '' });
  const where = { world, namespace: NAMESPACE };
  await untilAuthority(where, { status: 'False', reason: 'CAUnsigned' }, { name: 'payments-ca' });
  await runCommands(world, signing?.text ?? '', folder);
  await untilAuthority(where, {}, { name: 'payments-ca' });
  await create(world, clientCertificate(NAMESPACE, 'payer', { authorityRef: { name: 'payments-ca' } }));
  await opensslAccepts((await untilRevision(world, NAMESPACE, 'payer-tls', 1)).object);
});

test('the example is an authority with the ConfigMap of the page', async () => {
  const world = await shared.get();
  await world.cluster.kubectl(['apply', '-f', EXAMPLE]);
  const { message } = await untilAuthority({ world, namespace: NAMESPACE }, {}, { name: 'offline' });
  assert.match(message, 'verified when it is handed in');
});

test.run();
