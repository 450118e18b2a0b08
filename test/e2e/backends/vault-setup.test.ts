import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { metricsOf } from '../process/support/metrics.ts';
import { patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { issuedAt } from '../support/moments.ts';
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
import { base64, oneVaultWorld, vaultPlace } from './vault-world.ts';

const worlds = oneVaultWorld();
test.after(worlds.stop);

const IDENTITY = {
  commonName: 'till-1',
  dnsNames: ['till-1.example.org'],
  uris: ['spiffe://example.org/till/1'],
  emailAddresses: ['till@example.org'],
  ipAddresses: ['192.0.2.7', '2001:db8::7'],
};

test('a certificate carries all that a role takes from a request, and every verifier takes it', async () => {
  const { world, controller, namespace, spec } = await vaultPlace(worlds);
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
  const hours = (secret.leaf.validToDate.getTime() - issuedAt(secret.object).getTime()) / 3_600_000;
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
  const { world, vault, controller, tokenFor, namespace, spec } = await vaultPlace(worlds);
  await vault.sh(
    'vault write pki/roles/short key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature max_ttl=1h',
  );
  await vault.sh(
    `vault policy write short - <<'END'\npath "pki/issuer/+/sign/short" { capabilities = ["update"] }\nEND`,
  );
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor('short')) } });
  await createAuthority({ world, namespace }, 'vault', spec({ role: 'short' }));
  await create(world, clientCertificate(namespace, 'capped', { duration: '24h' }));
  const status = await untilReady(world, namespace, 'capped');
  const capped = await readSecret(world, namespace, 'capped-tls');
  const minutes = (Date.parse(status.notAfter ?? '') - issuedAt(capped?.object ?? {}).getTime()) / 60_000;
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
  test(`${sentence} is noticed and reported, and nothing reaches the Secret`, async () => {
    const { world, vault, tokenFor, namespace, spec } = await vaultPlace(worlds);
    const role = `r${namespace}`;
    await vault.sh(`vault write pki/roles/${role} enforce_hostnames=false ${settings}`);
    await vault.sh(
      `vault policy write ${role} - <<'END'\npath "pki/issuer/+/sign/${role}" { capabilities = ["update"] }\nEND`,
    );
    await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor(role)) } });
    await createAuthority({ world, namespace }, 'vault', spec({ role }));
    await create(world, clientCertificate(namespace, 'refused'));
    await untilReady(world, namespace, 'refused', { status: 'False', reason });
    assert.match((await statusOf(world, namespace, 'refused')).lastFailure?.message ?? '', says);
    assert.is(await readSecret(world, namespace, 'refused-tls'), undefined);
  });
}

test('a role that was removed is trouble of the authority, and certificates follow as soon as it is back', async () => {
  const { world, vault, tokenFor, namespace, spec } = await vaultPlace(worlds);
  const make = () =>
    vault.sh(
      'vault write pki/roles/passing key_type=any allow_any_name=true enforce_hostnames=false server_flag=false key_usage=DigitalSignature',
    );
  await make();
  await vault.sh(
    `vault policy write passing - <<'END'\npath "pki/issuer/+/sign/passing" { capabilities = ["update"] }\nEND`,
  );
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
  const { world, vault, tokenFor, namespace, spec } = await vaultPlace(worlds);
  await vault.sh(
    'vault write pki/roles/narrow key_type=any allowed_domains=example.org server_flag=false key_usage=DigitalSignature',
  );
  await vault.sh(
    `vault policy write narrow - <<'END'\npath "pki/issuer/+/sign/narrow" { capabilities = ["update"] }\nEND`,
  );
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor('narrow')) } });
  await createAuthority({ world, namespace }, 'vault', spec({ role: 'narrow' }));
  await create(world, clientCertificate(namespace, 'liar', { commonName: 'unknown role: narrow' }));
  await untilReady(world, namespace, 'liar', { status: 'False', reason: 'RequestDenied' });
  await untilAuthority({ world, namespace });
});

test.run();
