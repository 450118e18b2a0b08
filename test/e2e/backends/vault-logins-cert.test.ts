import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { leaf, root } from '../../pki/make.ts';
import { createSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import {
  clientCertificate,
  create,
  createAuthority as createPlain,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { eventually } from '../support/world.ts';
import { createAuthority, untilAuthority } from './place.ts';
import type { Vault } from './servers/vault.ts';
import { base64, oneVaultWorld, vaultPlace } from './vault-world.ts';

// Vault's TLS certificate auth method, set up by the commands of its part of docs/authorities/vault.md.

const worlds = oneVaultWorld();
test.after(worlds.stop);

/** Serial numbers (decimal) of the certificates that tokens were given for. */
async function loginsOf(vault: Vault): Promise<string[]> {
  const { body } = await vault.api('GET', 'auth/token/accessors?list=true');
  const found: string[] = [];
  for (const accessor of (body.data?.keys ?? []) as string[]) {
    const { body: token } = await vault
      .api('POST', 'auth/token/lookup-accessor', { accessor })
      .catch(() => ({ body: {} }));
    const { meta } = (token as { data?: { meta?: { serial_number?: string } | null } }).data ?? {};
    if (meta?.serial_number !== undefined) found.push(meta.serial_number);
  }
  return found;
}

const YEAR = { notAfter: new Date(Date.now() + 365 * 86_400_000) };

const decimal = (hex: string) => BigInt(`0x${hex}`).toString();

test('logged in by a certificate that Certwheel renews, as the page says; a renewed one is used at once', async () => {
  const { world, vault, follow, namespace, spec } = await vaultPlace(worlds);
  const cert = { role: 'certwheel', secretRef: { name: 'vault-login' } };
  // Before there is such a Secret: its name stays free for the ClientCertificate.
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { cert } }));
  await untilAuthority(
    { world, namespace },
    { status: 'False', reason: 'CredentialsNotFound', says: 'no Secret vault-login' },
  );
  await createPlain(world, selfManaged(namespace, 'login-ca'));
  await follow('By a TLS certificate', namespace);
  await untilAuthority({ world, namespace });
  await create(world, clientCertificate(namespace, 'by-cert'));
  await untilReady(world, namespace, 'by-cert');
  const serialNow = async () => {
    const secret = await readSecret(world, namespace, 'vault-login');
    assert.ok(secret);
    return decimal(parseCertificate(secret.leaf.raw).serialNumber);
  };
  const first = await serialNow();
  assert.ok((await loginsOf(vault)).includes(first), 'the login was made with the certificate of the Secret');

  await renewAt(world, namespace, 'vault-login');
  await untilRevision(world, namespace, 'vault-login', 2);
  await renewAt(world, namespace, 'by-cert');
  await untilRevision(world, namespace, 'by-cert-tls', 2);
  const second = await serialNow();
  assert.is.not(second, first);
  await eventually('a login with the renewed certificate', async () => (await loginsOf(vault)).includes(second));

  const wrong: [object, string, string][] = [
    [{ ...cert, role: 'nothing' }, 'CredentialsRefused', 'with the role nothing at auth/cert'],
    [{ ...cert, path: 'elsewhere' }, 'CredentialsRefused', 'at auth/elsewhere'],
    [{ ...cert, secretRef: { name: 'gone' } }, 'CredentialsNotFound', 'kubectl create secret tls gone'],
  ];
  for (const [index, [auth, reason, says]] of wrong.entries()) {
    const name = `wrong-${index}`;
    await createAuthority({ world, namespace }, 'vault', spec({ auth: { cert: auth } }), name);
    await untilAuthority({ world, namespace }, { status: 'False', reason, says }, { name });
  }
});

test('a certificate from elsewhere: one that Vault does not trust, that has expired, or whose key is another is reported', async () => {
  const { world, vault, namespace, spec } = await vaultPlace(worlds);
  const [ca, stranger] = [await root(YEAR), await root(YEAR)];
  const subject = { commonName: 'certwheel' };
  const hour = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const good = await leaf(ca, { subject, ...hour });
  await vault.sh('vault auth enable -path=elsewhere cert');
  await vault.api('POST', 'auth/elsewhere/certs/any', {
    certificate: ca.certificate.pem,
    token_policies: ['certwheel'],
  });
  const dataOf = (pair: Awaited<ReturnType<typeof leaf>>, key = pair.key) => ({
    'tls.crt': base64(pair.certificate.pem),
    'tls.key': base64(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
  });
  await createSecret(world, namespace, 'login', { type: 'kubernetes.io/tls', data: dataOf(good) });
  const cert = { path: 'elsewhere', secretRef: { name: 'login' } };
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { cert } }));
  await untilAuthority({ world, namespace });
  const past = new Date(Date.now() - 60_000);
  const expired = await leaf(ca, { subject, notBefore: new Date(past.getTime() - 60_000), notAfter: past });
  const other = await leaf(stranger, { subject, ...hour });
  const faults: [Record<string, string>, string][] = [
    [dataOf(other), `the login by the certificate in Secret ${namespace}/login at auth/elsewhere`],
    [dataOf(expired), 'key tls.crt: this certificate expired at'],
    [dataOf(good, other.key), 'key tls.key: this is not the key of the first certificate in tls.crt'],
    [{ ...dataOf(good), 'tls.crt': base64('nothing') }, `Secret ${namespace}/login, key tls.crt: this is`],
  ];
  for (const [data, says] of faults) {
    await patchSecret(world, namespace, 'login', { data });
    await untilAuthority({ world, namespace }, { status: 'False', reason: 'CredentialsRefused', says });
  }
  await patchSecret(world, namespace, 'login', { data: dataOf(good) });
  await untilAuthority({ world, namespace });
});

test.run();
