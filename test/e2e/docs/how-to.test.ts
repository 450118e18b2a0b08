/** The how-to pages whose commands need nothing but an API server do what they say. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { clientCertificate, create, createAuthority, readSecret, selfManaged, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { commandText } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The pages name namespaces, which others that share a control plane could have too.
const scene = oneScene({ own: true, authority: false });
test.after(scene.stop);

/** Runs commands in a folder of their own that holds these files; answers what they print. */
const run = (world: World, commands: string, files: Readonly<Record<string, string>> = {}) =>
  runCommands(world, commands, commandFolder(world, files));

/** The CA certificates in `ca.crt` of a Secret. */
const casOf = async (world: World, namespace: string, name: string) => {
  const { bundle = '' } = (await readSecret(world, namespace, name)) ?? {};
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
};

test('first-certificate.md brings a certificate, of which describe says that it was issued, without an event', async () => {
  const { world } = await scene.get();
  const page = 'docs/how-to/first-certificate.md';
  assert.match(await run(world, commandText(page, 'Create an authority and a certificate')), 'condition met');
  const described = await run(world, commandText(page, 'Read the status'));
  assert.match(described, /Events: +<none>/);
  assert.match(described, /Reason: +Issued/);
  assert.match(await run(world, commandText(page, 'Look at the certificate')), /issuer=CN ?= ?Demo CA v1/);
});

test('compromised-ca-key.md takes a CA out of every ca.crt at once, but for a certificate that is suspended', async () => {
  const { world } = await scene.get();
  const page = 'docs/how-to/compromised-ca-key.md';
  const [old, next] = await Promise.all([makeCa('Orders'), makeCa('Orders, the next')]);
  const [replace = '', remove = ''] = commandText(page, 'Type secret').split(/(?=^kubectl delete )/m);
  const files = ({ certificate, key }: typeof old) => ({ 'new-ca.crt': certificate, 'new-ca.key': key });
  await run(world, `kubectl create namespace orders\n${replace}`, files(old));
  const authority = { metadata: { namespace: 'orders', name: 'orders-ca' }, spec: { secret: { name: 'orders-ca' } } };
  await world.client.create(CERTIFICATE_AUTHORITIES, authority);
  for (const name of ['one', 'paused'])
    await create(world, clientCertificate('orders', name, { authorityRef: { name: 'orders-ca' } }));
  for (const name of ['one', 'paused']) await untilReady(world, 'orders', name);
  await run(world, `kubectl patch ccert paused -n orders --type=merge -p '{"spec":{"suspend":true}}'`);

  await run(world, replace, files(next));
  await eventually(
    'the next CA is in ca.crt, beside the old one',
    async () =>
      (await casOf(world, 'orders', 'one-tls')).length === 2 &&
      (await casOf(world, 'orders', 'paused-tls')).length === 2,
  );
  assert.match(await run(world, remove), 'deleted');
  await eventually(
    'the old CA is in ca.crt no longer',
    async () => (await casOf(world, 'orders', 'one-tls')).join() === next.certificate.trim(),
  );
  await eventually('the next CA has signed', async () => {
    const secret = await readSecret(world, 'orders', 'one-tls');
    return secret?.annotations['certwheel.io/authority-generation'] === '2';
  });

  const check = commandText(page, 'Check that nothing trusts it any more').replaceAll(/^kubectl rollout.*$/gm, '');
  assert.equal((await run(world, check)).trim().split('\n'), ['one-tls 2', 'paused-tls 1']);
  assert.is((await casOf(world, 'orders', 'paused-tls')).length, 2, 'the page says so');
});

test('backup-and-restore.md brings the same CA back', async () => {
  const { world } = await scene.get();
  const page = 'docs/how-to/backup-and-restore.md';
  await run(world, 'kubectl create namespace bank');
  await createAuthority(world, selfManaged('bank', 'bank-ca'));
  await create(world, clientCertificate('bank', 'ledger', { authorityRef: { name: 'bank-ca' } }));
  await untilReady(world, 'bank', 'ledger');
  const [before] = await casOf(world, 'bank', 'ledger-tls');
  const restore = commandText(page, 'Restore').replace('kubectl create namespace bank', '');
  // Without a controller-manager nobody empties a namespace: what it holds is deleted instead.
  const lose = 'kubectl delete ccert,cauth,secret --all -n bank';
  await run(world, [commandText(page, 'Back up'), lose, restore].join('\n'));
  await untilReady(world, 'bank', 'ledger');
  assert.equal(await casOf(world, 'bank', 'ledger-tls'), [before]);
  await eventually('an event says that the CA was adopted', async () =>
    (await run(world, commandText(page, 'Check'))).includes('CAGenerationMarked'),
  );
});

test.run();
