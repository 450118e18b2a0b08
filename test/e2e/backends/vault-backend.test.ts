import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Backend } from '../../../src/backends/backend.ts';
import type { CertwheelError } from '../../../src/errors.ts';
import { chainsTo } from '../../../src/pki/chain.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { startVault } from './servers/vault.ts';
import { direct } from './vault-direct.ts';
import { commandsOf, vaultSpec } from './vault-world.ts';

const HOUR = 3_600_000;
const { signal } = new AbortController();

const shared = lazily(async () => {
  const vault = await startVault();
  onStop(() => vault.stop());
  await vault.sh(commandsOf('The CA and the role'));
  await vault.sh('vault auth enable approle');
  return vault;
});
test.after(shared.stop);

/** The backend with a token of that policy and those settings. */
async function byToken(settings: object = { policies: ['certwheel'], period: '768h' }, spec = {}) {
  const vault = await shared.get();
  const { body } = await vault.api('POST', 'auth/token/create-orphan', settings);
  const token = body.auth?.client_token ?? '';
  return { vault, token, ...direct(vaultSpec(vault, spec), { 'vault-token': { token } }) };
}

/** The backend with a role of AppRole of its own. */
async function byAppRole(name: string, settings: string) {
  const vault = await shared.get();
  await vault.sh(`vault write auth/approle/role/${name} token_policies=certwheel ${settings}`);
  const { body: role } = await vault.api('GET', `auth/approle/role/${name}/role-id`);
  const { body: secret } = await vault.api('POST', `auth/approle/role/${name}/secret-id`, {});
  const appRole = { path: 'approle', roleId: role.data?.role_id, secretRef: { name: 'approle', key: 'secretId' } };
  const secretId = String(secret.data?.secret_id);
  return { vault, ...direct(vaultSpec(vault, { auth: { appRole } }), { approle: { secretId } }) };
}

async function accessors(): Promise<Set<string>> {
  const vault = await shared.get();
  const { body } = await vault.api('GET', 'auth/token/accessors?list=true');
  return new Set(body.data?.keys as string[]);
}

async function failure(asking: Promise<unknown>): Promise<CertwheelError> {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error, 'it was expected to fail');
  return error as CertwheelError;
}

test('what is signed leads to the trust, and is no older than Vault backdates it', async () => {
  const { backend } = await byToken();
  const [{ anchors }, issued] = [await backend.trust(signal), await backend.issue(await issueRequest('a'), signal)];
  assert.is(anchors.length, 1);
  assert.ok('chain' in issued && chainsTo(issued.chain, anchors));
  const leaf = leafOf(issued);
  assert.equal(leaf.usages, ['digital signature', 'client auth']);
  const lifeMs = leaf.notAfter.getTime() - leaf.notBefore.getTime();
  assert.is(lifeMs, HOUR + 30_000);
  await backend.check(signal);
});

/** Uses the backend for longer than its token lives. */
async function useFor(ms: number, backend: Backend): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(300)) await backend.check(signal);
}

test('a token from a Secret is renewed for as long as it is used', async () => {
  const { backend } = await byToken({ policies: ['certwheel'], period: '3s' });
  const before = await accessors();
  await useFor(8_000, backend);
  assert.ok([...(await accessors())].every((each) => before.has(each)));
});

test('a login is made again when its token has reached its greatest age', async () => {
  const { backend } = await byAppRole('brief', 'token_ttl=2s token_max_ttl=4s');
  await useFor(9_000, backend);
});

test('many at once log in once', async () => {
  const { backend } = await byAppRole('many', 'token_ttl=20m');
  const before = await accessors();
  const requests = await Promise.all(Array.from({ length: 20 }, (_, index) => issueRequest(`many-${index}`)));
  await Promise.all(requests.map((each) => backend.issue(each, signal)));
  // Tokens of tests before this one may end meanwhile.
  const logins = [...(await accessors())].filter((each) => !before.has(each));
  assert.is(logins.length, 1);
});

test('a token that was revoked is replaced by a new login, without a failure', async () => {
  const { vault, backend } = await byAppRole('revoked', 'token_ttl=20m');
  const before = await accessors();
  await backend.check(signal);
  for (const accessor of await accessors())
    if (!before.has(accessor)) await vault.api('POST', 'auth/token/revoke-accessor', { accessor });
  leafOf(await backend.issue(await issueRequest('again'), signal));
});

test('a secret id that is refused is not tried until Vault locks the role, and another one is good at once', async () => {
  const { backend, secrets } = await byAppRole('locked', 'token_ttl=20m');
  const good = secrets.get('approle') ?? {};
  secrets.set('approle', { secretId: '5f2b0c5e-1111-2222-3333-444455556666' });
  const told = new Set<string>();
  for (let n = 0; n < 10; n++) told.add((await failure(backend.check(signal))).message);
  assert.is(told.size, 1);
  secrets.set('approle', good);
  await backend.check(signal);
});

test('neither token nor secret id is in what is thrown', async () => {
  const { backend, secrets } = await byAppRole('leak', 'token_ttl=20m');
  secrets.set('approle', { secretId: '5f2b0c5e-1111-2222-3333-444455556666' });
  const refused = await failure(backend.check(signal));
  assert.is(refused.code, 'CredentialsRefused');
  assert.not.match(JSON.stringify([refused.message, refused.stack]), '5f2b0c5e');
  secrets.set('approle', { secretId: 'two words' });
  assert.match((await failure(backend.check(signal))).message, 'holds more than one word');
});

test('a life is cut to that of the CA, and a CA that ends signs nothing more', async () => {
  const vault = await shared.get();
  const role = 'key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature';
  for (const [mount, ttl] of [
    ['ending', '2h'],
    ['ended', '45s'],
  ]) {
    await vault.sh(`vault secrets enable -path=${mount} pki`);
    await vault.sh(`vault write ${mount}/root/generate/internal common_name=${mount} key_type=ec ttl=${ttl}`);
    await vault.sh(`vault write ${mount}/roles/client ${role} max_ttl=168h ttl=168h`);
    await vault.sh(
      `vault policy write ${mount} - <<'END'\npath "${mount}/issuer/+/sign/client" { capabilities = ["update"] }\nEND`,
    );
  }
  const { backend } = await byToken({ policies: ['ending'] }, { mount: 'ending' });
  const [anchor] = (await backend.trust(signal)).anchors;
  const leaf = leafOf(await backend.issue(await issueRequest('cut', { lifetimeMs: 24 * HOUR }), signal));
  assert.ok(anchor && leaf.notAfter <= anchor.notAfter && leaf.notAfter.getTime() > anchor.notAfter.getTime() - 60_000);

  const { backend: ended } = await byToken({ policies: ['ended'] }, { mount: 'ended' });
  await ended.trust(signal);
  assert.is((await failure(ended.issue(await issueRequest('late'), signal))).code, 'CAExpired');
});

test('the issuer that is named signs, and no other one is trusted', async () => {
  const vault = await shared.get();
  await vault.sh('vault secrets enable -path=two pki');
  await vault.sh('vault secrets tune -max-lease-ttl=8760h two');
  for (const name of ['one', 'two'])
    await vault.sh(
      `vault write two/root/generate/internal common_name=${name} issuer_name=${name} key_type=ec ttl=8760h`,
    );
  await vault.sh(
    'vault write two/roles/client key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature',
  );
  await vault.sh(
    `vault policy write two - <<'END'\npath "two/issuer/+/sign/client" { capabilities = ["update"] }\nEND`,
  );
  const { backend } = await byToken({ policies: ['two'] }, { mount: 'two', issuerRef: 'two' });
  await backend.check(signal);
  assert.equal(
    (await backend.trust(signal)).anchors.map(({ subjectText }) => subjectText),
    ['CN=two'],
  );
  assert.is(leafOf(await backend.issue(await issueRequest('named'), signal)).issuerText, 'CN=two');
});

test('an intermediate comes with the certificate, and its root alone is trusted', async () => {
  const vault = await shared.get();
  await vault.sh('vault secrets enable -path=root pki && vault secrets tune -max-lease-ttl=8760h root');
  await vault.sh('vault secrets enable -path=middle pki && vault secrets tune -max-lease-ttl=8760h middle');
  await vault.sh(`
    vault write -field=certificate root/root/generate/internal common_name=top key_type=ec ttl=8760h > "$HOME/top.pem"
    vault write -field=csr middle/intermediate/generate/internal common_name=middle key_type=ec > "$HOME/middle.csr"
    vault write -field=certificate root/root/sign-intermediate csr=@"$HOME/middle.csr" ttl=4380h > "$HOME/middle.pem"
    (cat "$HOME/middle.pem" && echo && cat "$HOME/top.pem") > "$HOME/both.pem"
    vault write middle/intermediate/set-signed certificate=@"$HOME/both.pem"
    vault write middle/roles/client key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature
    vault policy write middle - <<'END'
path "middle/issuer/+/sign/client" { capabilities = ["update"] }
END`);
  const { backend } = await byToken({ policies: ['middle'] }, { mount: 'middle' });
  await backend.check(signal);
  const { anchors } = await backend.trust(signal);
  assert.equal([...new Set(anchors.map(({ subjectText }) => subjectText))], ['CN=top']);
  const issued = await backend.issue(await issueRequest('below'), signal);
  assert.ok('chain' in issued && chainsTo(issued.chain, anchors));
  assert.equal(
    issued.chain.slice(0, 2).map(({ issuerText }) => issuerText),
    ['CN=middle', 'CN=top'],
  );
});

test('a mount without its root says which root is missing, and a trust bundle supplies it', async () => {
  const vault = await shared.get();
  for (const mount of ['above', 'rootless'])
    await vault.sh(`vault secrets enable -path=${mount} pki && vault secrets tune -max-lease-ttl=8760h ${mount}`);
  const top = await vault.sh(
    'vault write -field=certificate above/root/generate/internal common_name=above key_type=ec',
  );
  await vault.sh(`
    vault write -field=csr rootless/intermediate/generate/internal common_name=rootless key_type=ec > "$HOME/rootless.csr"
    vault write -field=certificate above/root/sign-intermediate csr=@"$HOME/rootless.csr" ttl=700h > "$HOME/rootless.pem"
    vault write rootless/intermediate/set-signed certificate=@"$HOME/rootless.pem"
    vault write rootless/roles/client key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature
    vault policy write rootless - <<'END'
path "rootless/issuer/+/sign/client" { capabilities = ["update"] }
END`);
  const { backend } = await byToken({ policies: ['rootless'] }, { mount: 'rootless' });
  const { code, message } = await failure(backend.trust(signal));
  assert.is(code, 'TrustBundleNotFound');
  assert.match(message, /rootless.*CN=rootless and not its root CN=above.*spec\.vault\.trustBundle/);
  const supplied = { mount: 'rootless', trustBundle: { inline: top } };
  const { backend: complete } = await byToken({ policies: ['rootless'] }, supplied);
  const { anchors, intermediates } = await complete.trust(signal);
  assert.equal(
    [anchors, intermediates].map((list) => list.map(({ subjectText }) => subjectText)),
    [['CN=above'], ['CN=rootless']],
  );
  const issued = await complete.issue(await issueRequest('supplied'), signal);
  assert.ok('chain' in issued && chainsTo(issued.chain, anchors));
});

test('revocation, of what Vault has stored and of what it has not', async () => {
  const vault = await shared.get();
  await vault.sh(
    'vault write pki/roles/stored key_type=any allow_any_name=true server_flag=false key_usage=DigitalSignature',
  );
  await vault.sh(`vault policy write revoke - <<'END'
path "pki/issuer/+/sign/*" { capabilities = ["update"] }
path "pki/revoke" { capabilities = ["update"] }
END`);
  for (const role of ['client', 'stored']) {
    const { backend } = await byToken({ policies: ['revoke'] }, { role });
    const issued = await backend.issue(await issueRequest(`${role}.example.org`), signal);
    const { serialNumber, der } = leafOf(issued);
    const leaf = role === 'client' ? der : undefined;
    await backend.revoke({ serialNumber, leaf }, 'superseded', signal);
    const { body } = await vault.api('GET', `pki/cert/${serialNumber.match(/../g)?.join(':')}`);
    assert.ok(Number(body.data?.revocation_time) > 0, role);
  }
  const { backend } = await byToken();
  const { code, message } = await failure(backend.revoke({ serialNumber: '01ab' }, 'unspecified', signal));
  assert.is(code, 'CredentialsRefused');
  assert.match(message, 'revoking 01:ab at pki');
});

test.run();
