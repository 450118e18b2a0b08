import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { base64, oneVaultWorld, vaultPlace } from './vault-world.ts';

// The ways to log in, each set up by the commands of its part of docs/authorities/vault.md.

const worlds = oneVaultWorld();
test.after(worlds.stop);

test('logged in by a ServiceAccount, as the page says', async () => {
  const { world, follow, namespace, spec } = await vaultPlace(worlds);
  const { cluster } = world;
  await cluster.kubectl(['create', 'serviceaccount', 'reviewer', '--namespace', namespace]);
  const reviewer = [`--serviceaccount=${namespace}:reviewer`, '--clusterrole=system:auth-delegator'];
  await cluster.kubectl(['create', 'clusterrolebinding', `reviewer-${namespace}`, ...reviewer]);
  const { stdout } = await cluster.kubectl(['create', 'token', 'reviewer', '--namespace', namespace]);
  await follow('By a ServiceAccount', namespace, {
    KUBERNETES_HOST: cluster.url,
    KUBERNETES_CA_FILE: cluster.caPath,
    REVIEWER_TOKEN: stdout.trim(),
  });
  const mayMakeTokensOf = async (name: string) => {
    const who = ['--subresource=token', '--as=system:serviceaccount:certwheel-system:certwheel', '-n', namespace];
    const asked = ['auth', 'can-i', 'create', `serviceaccounts/${name}`, ...who];
    return (await cluster.kubectl(asked, { allowFailure: true })).stdout.trim();
  };
  assert.equal([await mayMakeTokensOf('certwheel-vault'), await mayMakeTokensOf('reviewer')], ['yes', 'no']);
  const kubernetes = { role: 'certwheel', serviceAccountName: 'certwheel-vault' };
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { kubernetes } }));
  await untilAuthority({ world, namespace });
  await create(world, clientCertificate(namespace, 'by-account'));
  await untilReady(world, namespace, 'by-account');

  const wrong: [object, string, string][] = [
    [{ ...kubernetes, serviceAccountName: 'nobody' }, 'CredentialsNotFound', 'there is no ServiceAccount nobody'],
    [{ ...kubernetes, serviceAccountName: 'reviewer' }, 'CredentialsRefused', 'the login as ServiceAccount reviewer'],
    [{ ...kubernetes, audience: 'other' }, 'CredentialsRefused', 'the login as ServiceAccount certwheel-vault'],
    [{ ...kubernetes, role: 'nothing' }, 'CredentialsRefused', 'with the role nothing'],
    [{ ...kubernetes, path: 'elsewhere' }, 'CredentialsRefused', 'at auth/elsewhere'],
  ];
  for (const [index, [auth, reason, says]] of wrong.entries()) {
    const name = `wrong-${index}`;
    await createAuthority({ world, namespace }, 'vault', spec({ auth: { kubernetes: auth } }), name);
    await untilAuthority({ world, namespace }, { status: 'False', reason, says }, { name });
  }
});

test('logged in by AppRole, as the page says; a secret id that is replaced is taken up at once', async () => {
  const { world, vault, follow, namespace, spec } = await vaultPlace(worlds);
  const printed = await follow('By AppRole', namespace);
  const roleId = /roleId: (\S+)/.exec(printed)?.[1];
  assert.ok(roleId);
  const appRole = { roleId, secretRef: { name: 'certwheel-approle' } };
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { appRole } }));
  await create(world, clientCertificate(namespace, 'by-role'));
  await untilReady(world, namespace, 'by-role');

  await patchSecret(world, namespace, 'certwheel-approle', { data: { secretId: base64('wrong') } });
  await untilAuthority(
    { world, namespace },
    { status: 'False', reason: 'CredentialsRefused', says: 'at auth/approle' },
  );
  const { body } = await vault.api('POST', 'auth/approle/role/certwheel/secret-id', {});
  await patchSecret(world, namespace, 'certwheel-approle', {
    data: { secretId: base64(String(body.data?.secret_id)) },
  });
  await untilAuthority({ world, namespace });
  await renewAt(world, namespace, 'by-role');
  await untilRevision(world, namespace, 'by-role-tls', 2);
});

test('a token that is revoked is reported, and another one in the same Secret heals it', async () => {
  const { world, vault, controller, follow, tokenFor, namespace, spec } = await vaultPlace(worlds);
  await follow('By a token', namespace);
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { tokenSecretRef: { name: 'certwheel-token' } } }));
  await create(world, clientCertificate(namespace, 'by-token'));
  await untilReady(world, namespace, 'by-token');
  const token = (await readToken(namespace, 'certwheel-token')).trim();
  await vault.api('POST', 'auth/token/revoke', { token });
  await renewAt(world, namespace, 'by-token');
  await untilAuthority(
    { world, namespace },
    { status: 'False', reason: 'CredentialsRefused', says: 'permission denied' },
  );
  await untilReady(world, namespace, 'by-token', { type: 'Issuing', reason: 'AuthorityNotReady' });
  await patchSecret(world, namespace, 'certwheel-token', { data: { token: base64(await tokenFor('certwheel')) } });
  await untilAuthority({ world, namespace });
  await untilRevision(world, namespace, 'by-token-tls', 2);
  assert.not.match(JSON.stringify(controller.logs), token);
});

async function readToken(namespace: string, name: string): Promise<string> {
  const { world } = await worlds.get();
  const { stdout } = await world.cluster.kubectl([
    'get',
    'secret',
    name,
    '-n',
    namespace,
    '-o',
    'jsonpath={.data.token}',
  ]);
  return Buffer.from(stdout, 'base64').toString();
}

test.run();
