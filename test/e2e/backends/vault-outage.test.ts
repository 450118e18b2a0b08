import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchAuthority, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { faultsOfHistory, untilSeen, watchSecrets } from '../support/secret-witness.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { CONCEALED } from './subject.ts';
import { base64, commandsOf, oneVaultWorld, vaultSpec } from './vault-world.ts';

const worlds = oneVaultWorld();
test.after(worlds.stop);

/** A namespace with a certificate that Vault has signed. */
async function play(names = ['one']) {
  const shared = await worlds.get();
  const { world, vault } = shared;
  const namespace = await shared.namespaceWithToken();
  await createAuthority({ world, namespace }, 'vault', vaultSpec(vault));
  for (const name of names) await create(world, clientCertificate(namespace, name));
  for (const name of names) await untilReady(world, namespace, name);
  return { ...shared, namespace };
}

test('a sealed Vault is reported as sealed, harms no certificate, and is back by itself', async () => {
  const { world, vault, namespace } = await play();
  const before = await readSecret(world, namespace, 'one-tls');
  await vault.seal();
  try {
    await renewAt(world, namespace, 'one');
    const sealed = { status: 'False', reason: 'AuthorityUnavailable', says: 'is sealed; unseal it' } as const;
    await untilAuthority({ world, namespace }, sealed);
    await untilReady(world, namespace, 'one', { type: 'Issuing', reason: 'AuthorityNotReady' });
    await untilReady(world, namespace, 'one');
    assert.is((await readSecret(world, namespace, 'one-tls'))?.chain, before?.chain);
  } finally {
    await vault.unseal();
  }
  await untilAuthority({ world, namespace });
  await untilRevision(world, namespace, 'one-tls', 2, 60_000);
});

test('a quota of Vault is obeyed, and all get their certificate in the end', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `q${index}`);
  const { world, vault, controller, namespace } = await play(names);
  await vault.api('POST', 'sys/quotas/rate-limit/pki', { path: 'pki', rate: 5, interval: '3s' });
  try {
    for (const name of names) await renewAt(world, namespace, name);
    for (const name of names) await untilRevision(world, namespace, `${name}-tls`, 2, 90_000);
  } finally {
    await vault.api('DELETE', 'sys/quotas/rate-limit/pki');
  }
  const busy = controller.logs.filter(({ code, error }) => code === 'AuthorityBusy' && String(error).includes('429'));
  assert.ok(busy.length > 0, 'Vault has asked for patience');
});

test('a CA that is replaced in Vault: both are trusted before the new one signs, and no version is broken', async () => {
  const { world, vault, namespace } = await play();
  const secrets = await watchSecrets(world, namespace);
  const commands = commandsOf('Replacing the CA');
  const at = commands.lastIndexOf('vault write');
  await vault.sh(commands.slice(0, at));
  // What happens by itself every 5 minutes.
  const look = () => patchAuthority(world, namespace, 'ca', { metadata: { annotations: { look: `${Date.now()}` } } });
  await look();
  const bundle = async () => (await readSecret(world, namespace, 'one-tls'))?.bundle.match(/BEGIN/g)?.length;
  await eventually('ca.crt holds both', async () => (await bundle()) === 2);
  await vault.sh(commands.slice(at));
  await renewAt(world, namespace, 'one');
  const renewed = await untilRevision(world, namespace, 'one-tls', 2);
  assert.is(renewed.leaf.issuer, 'CN=Clients 2027');
  await untilSeen(secrets, 'one-tls', 2);
  assert.equal(faultsOfHistory(secrets.versions('one-tls')), []);
});

test('a new CA that signs at once, before anybody could look, is trusted before its certificate is published', async () => {
  const { world, vault, namespace } = await play();
  const secrets = await watchSecrets(world, namespace);
  await vault.sh(
    'vault write pki/root/rotate/internal common_name="Clients 2028" issuer_name=clients-2028 key_type=ec ttl=87600h && vault write pki/root/replace default=clients-2028',
  );
  await renewAt(world, namespace, 'one');
  const renewed = await untilRevision(world, namespace, 'one-tls', 2);
  assert.is(renewed.leaf.issuer, 'CN=Clients 2028');
  assert.ok((renewed.bundle.match(/BEGIN/g)?.length ?? 0) > 1);
  await untilSeen(secrets, 'one-tls', 2);
  assert.equal(faultsOfHistory(secrets.versions('one-tls')), []);
});

test('a standby forwards; without an active node it is reported as a standby, and neither as sealed nor as a denial', async () => {
  const shared = await worlds.get();
  const { world, vault } = shared;
  const server = await vault.addStandby();
  const namespace = await shared.namespaceWithToken();
  await createAuthority({ world, namespace }, 'vault', vaultSpec(vault, { server }));
  await create(world, clientCertificate(namespace, 'one'));
  await untilReady(world, namespace, 'one');
  const before = await readSecret(world, namespace, 'one-tls');
  const secretRef = { name: 'vault-token', key: 'other' };
  await patchSecret(world, namespace, 'vault-token', { data: { other: base64('hvs.wrong') } });
  await createAuthority(
    { world, namespace },
    'vault',
    vaultSpec(vault, { server, auth: { tokenSecretRef: secretRef } }),
    'no',
  );
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'CredentialsRefused' }, { name: 'no' });

  await vault.halt();
  try {
    await renewAt(world, namespace, 'one');
    // What redirects doesn't show that it is a Vault; the log tells of the standby.
    const standby = { status: 'False', ...CONCEALED } as const;
    await untilAuthority({ world, namespace }, standby);
    await untilReady(world, namespace, 'one', { type: 'Issuing', reason: 'AuthorityNotReady' });
    await untilReady(world, namespace, 'one');
    assert.is((await readSecret(world, namespace, 'one-tls'))?.chain, before?.chain);
  } finally {
    await vault.start();
  }
  await untilAuthority({ world, namespace });
  await untilRevision(world, namespace, 'one-tls', 2, 60_000);
});

test.run();
