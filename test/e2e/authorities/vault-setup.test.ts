import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { metricsOf } from '../process/support/metrics.ts';
import { patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { faultOf, opensslAccepts } from '../support/secret-proof.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { base64, oneVaultWorld, vaultSpec } from './vault-world.ts';

const worlds = oneVaultWorld();
test.after(worlds.stop);

/** A namespace with a token of Vault in its Secret. */
async function play() {
  const shared = await worlds.get();
  const namespace = await shared.namespaceWithToken();
  return {
    ...shared,
    namespace,
    spec: (more: Readonly<Record<string, unknown>> = {}) => vaultSpec(shared.vault, more),
  };
}

const IDENTITY = {
  commonName: 'till-1',
  dnsNames: ['till-1.example.org'],
  uris: ['spiffe://example.org/till/1'],
  emailAddresses: ['till@example.org'],
  ipAddresses: ['192.0.2.7', '2001:db8::7'],
};

test('a certificate carries all that a role takes from a request, and every verifier takes it', async () => {
  const { world, controller, namespace, spec } = await play();
  await createAuthority({ world, namespace }, 'vault', spec());
  await untilAuthority({ world, namespace });
  await create(world, clientCertificate(namespace, 'till', { ...IDENTITY, duration: '2h' }));
  const status = await untilReady(world, namespace, 'till');
  const secret = await readSecret(world, namespace, 'till-tls');
  assert.ok(secret);
  assert.is(faultOf(secret.object), undefined);
  await opensslAccepts(secret.object);
  const { subject, subjectAltName, keyUsage } = secret.leaf;
  assert.is(subject, 'CN=till-1');
  assert.equal(subjectAltName?.split(', ').sort(), [
    'DNS:till-1.example.org',
    'IP Address:192.0.2.7',
    'IP Address:2001:DB8:0:0:0:0:0:7',
    'URI:spiffe://example.org/till/1',
    'email:till@example.org',
  ]);
  assert.equal(keyUsage, ['1.3.6.1.5.5.7.3.2']);
  const hours = (secret.leaf.validToDate.getTime() - Date.now()) / 3_600_000;
  assert.ok(hours > 1.98 && hours <= 2, `lives for ${hours} h`);
  assert.is(status.serialNumber, secret.leaf.serialNumber.toLowerCase());
  const caEnd = Date.parse(new X509Certificate(secret.bundle).validTo);
  assert.is(Date.parse((await authorityStatusOf(world, namespace, 'ca')).notAfter ?? ''), caEnd);
  const labels = { authority: `CertificateAuthority/${namespace}/ca` };
  assert.is((await metricsOf(controller)).value('certwheel_ca_not_after_timestamp_seconds', labels), caEnd / 1000);

  await renewAt(world, namespace, 'till');
  const renewed = await untilRevision(world, namespace, 'till-tls', 2);
  assert.is.not(renewed.key, secret.key);
  assert.is(faultOf(renewed.object), undefined);
});

test('a life that the role caps is taken, and said', async () => {
  const { world, vault, controller, tokenFor, namespace, spec } = await play();
  await vault.sh(
    'vault write pki/roles/short key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature max_ttl=1h',
  );
  await vault.sh(`vault policy write short - <<'END'\npath "pki/sign/short" { capabilities = ["update"] }\nEND`);
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor('short')) } });
  await createAuthority({ world, namespace }, 'vault', spec({ role: 'short' }));
  await create(world, clientCertificate(namespace, 'capped', { duration: '24h' }));
  const status = await untilReady(world, namespace, 'capped');
  const minutes = (Date.parse(status.notAfter ?? '') - Date.now()) / 60_000;
  assert.ok(minutes > 58 && minutes <= 60, `lives for ${minutes} min`);
  const ready = conditionOf(status, 'Ready');
  assert.is(ready?.reason, 'DurationDiffers');
  assert.match(ready?.message ?? '', 'the authority granted about 1h where 24h were asked for');
  const line = controller.logs.find(({ warnings }) => warnings !== undefined);
  assert.match(JSON.stringify(line), 'is longer than permitted maxTTL');
});

const REFUSED: Record<string, [role: string, reason: string, says: RegExp]> = {
  'a role that adds usages': [
    'key_type=any allow_any_name=true key_usage=DigitalSignature,KeyAgreement',
    'InvalidAnswer',
    /adds the usages key agreement, server auth/,
  ],
  'a role that does not allow the name': [
    'key_type=any server_flag=false key_usage=DigitalSignature allowed_domains=example.org',
    'RequestDenied',
    /common name refused not allowed by this role/,
  ],
  'a role that wants other keys': [
    'key_type=rsa allow_any_name=true server_flag=false key_usage=DigitalSignature',
    'RequestDenied',
    /role requires keys of type rsa/,
  ],
};

for (const [sentence, [settings, reason, says]] of Object.entries(REFUSED)) {
  test(`${sentence} is seen and told, and nothing reaches the Secret`, async () => {
    const { world, vault, tokenFor, namespace, spec } = await play();
    const role = `r${namespace}`;
    await vault.sh(`vault write pki/roles/${role} enforce_hostnames=false ${settings}`);
    await vault.sh(`vault policy write ${role} - <<'END'\npath "pki/sign/${role}" { capabilities = ["update"] }\nEND`);
    await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor(role)) } });
    await createAuthority({ world, namespace }, 'vault', spec({ role }));
    await create(world, clientCertificate(namespace, 'refused'));
    await untilReady(world, namespace, 'refused', { status: 'False', reason });
    assert.match((await statusOf(world, namespace, 'refused')).lastFailure?.message ?? '', says);
    assert.is(await readSecret(world, namespace, 'refused-tls'), undefined);
  });
}

test('logged in by a ServiceAccount, as the page says', async () => {
  const { world, follow, namespace, spec } = await play();
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
  const { world, vault, follow, namespace, spec } = await play();
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

test('a token that is revoked under it is told, and another one in the same Secret heals it', async () => {
  const { world, vault, controller, follow, tokenFor, namespace, spec } = await play();
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

test('a role that was removed is trouble of the authority, and certificates follow as soon as it is back', async () => {
  const { world, vault, tokenFor, namespace, spec } = await play();
  const make = () =>
    vault.sh(
      'vault write pki/roles/passing key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature',
    );
  await make();
  await vault.sh(`vault policy write passing - <<'END'\npath "pki/sign/passing" { capabilities = ["update"] }\nEND`);
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor('passing')) } });
  await createAuthority({ world, namespace }, 'vault', spec({ role: 'passing' }));
  await untilAuthority({ world, namespace });
  await vault.sh('vault delete pki/roles/passing');
  await create(world, clientCertificate(namespace, 'patient'));
  const says = 'the mount pki has no role passing';
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'AuthorityMisconfigured', says });
  await untilReady(world, namespace, 'patient', { type: 'Issuing', reason: 'AuthorityNotReady' });
  await make();
  await untilReady(world, namespace, 'patient');
});

test('a name in which a missing role is spoken of puts nothing but its own certificate in trouble', async () => {
  const { world, vault, tokenFor, namespace, spec } = await play();
  await vault.sh(
    'vault write pki/roles/narrow key_type=any allowed_domains=example.org server_flag=false key_usage=DigitalSignature',
  );
  await vault.sh(`vault policy write narrow - <<'END'\npath "pki/sign/narrow" { capabilities = ["update"] }\nEND`);
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor('narrow')) } });
  await createAuthority({ world, namespace }, 'vault', spec({ role: 'narrow' }));
  await create(world, clientCertificate(namespace, 'liar', { commonName: 'unknown role: narrow' }));
  await untilReady(world, namespace, 'liar', { status: 'False', reason: 'RequestDenied' });
  await untilAuthority({ world, namespace });
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
