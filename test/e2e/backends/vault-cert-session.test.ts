import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/clock.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { leaf, root } from '../../pki/make.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { startVault, type Vault } from './servers/vault.ts';
import { direct } from './vault-direct.ts';
import { commandsOf, vaultSpec } from './vault-world.ts';

// Vault binds the token of a certificate to that certificate: it renews the token only on a connection that shows it.

const { signal } = new AbortController();
const TOKEN_SECONDS = 6;
const shared = lazily(async () => {
  const vault = await startVault();
  onStop(() => vault.stop());
  await vault.sh(commandsOf('The CA and the role'));
  await vault.sh('vault auth enable cert');
  return vault;
});
test.after(shared.stop);

const far = { notAfter: new Date(Date.now() + 365 * 86_400_000) };
const ca = await root(far);
const hour = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };

async function pair(): Promise<Record<string, string>> {
  const { certificate, key } = await leaf(ca, { subject: { commonName: 'certwheel' }, ...hour });
  return { 'tls.crt': certificate.pem, 'tls.key': encodePrivateKey(key, 'PKCS8') };
}

/** The tokens of the certificate role, by their accessors. */
async function tokensOf(vault: Vault): Promise<Map<string, Record<string, unknown>>> {
  const { body } = await vault.api('GET', 'auth/token/accessors?list=true');
  const found = new Map<string, Record<string, unknown>>();
  for (const accessor of (body.data?.keys ?? []) as string[]) {
    const { body: token } = await vault
      .api('POST', 'auth/token/lookup-accessor', { accessor })
      .catch(() => ({ body: {} }));
    const { data = {} } = token as { data?: Record<string, unknown> };
    if (String(data.path) === 'auth/cert/login') found.set(accessor, data);
  }
  return found;
}

test('a token is renewed on a connection with its certificate; another certificate logs in anew, and is shown from then on', async () => {
  const vault = await shared.get();
  await vault.api('POST', 'auth/cert/certs/session', {
    certificate: ca.certificate.pem,
    token_policies: ['certwheel'],
    token_ttl: TOKEN_SECONDS,
    token_max_ttl: '1h',
  });
  const auth = { cert: { path: 'cert', role: 'session', secretRef: { name: 'login' } } };
  const { backend, secrets } = direct(vaultSpec(vault, { auth }), { login: await pair() });
  await backend.issue(await issueRequest('one'), signal);
  const [first] = (await tokensOf(vault)).keys();
  // Two thirds of its life are over, and then all of it, without the renewal.
  for (const at of ['two', 'three']) {
    await systemClock.sleep((TOKEN_SECONDS * 1_000 * 3) / 4);
    await backend.issue(await issueRequest(at), signal);
  }
  assert.equal([...(await tokensOf(vault)).keys()], [first]);

  secrets.set('login', await pair());
  await backend.issue(await issueRequest('four'), signal);
  const after = await tokensOf(vault);
  assert.is(after.size, 2);
  const [second] = [...after.keys()].filter((accessor) => accessor !== first);
  await systemClock.sleep((TOKEN_SECONDS * 1_000 * 3) / 4);
  await backend.issue(await issueRequest('five'), signal);
  assert.ok((await tokensOf(vault)).has(second ?? ''), 'the token of the second certificate was renewed');
});

test('a certificate that another role trusts is no login for this one', async () => {
  const vault = await shared.get();
  const other = await root(far);
  await vault.api('POST', 'auth/cert/certs/other', {
    certificate: other.certificate.pem,
    token_policies: ['certwheel'],
  });
  const auth = { cert: { path: 'cert', role: 'other', secretRef: { name: 'login' } } };
  const failed = await direct(vaultSpec(vault, { auth }), { login: await pair() })
    .backend.check(signal)
    .catch((error: unknown) => error);
  assert.match(String(failed), 'the login by the certificate in Secret ns/login with the role other at auth/cert');
  assert.match(String(failed), 'compare with: vault read auth/cert/certs/other');
});

test.run();
