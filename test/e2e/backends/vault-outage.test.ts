import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { CONCEALED } from './subject.ts';
import { base64, oneVaultWorld, vaultSpec } from './vault-world.ts';

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
