import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createSecret, patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { base64, oneVaultWorld, vaultPlace } from './vault-world.ts';

// Vault's JWT auth method, set up by the commands of its part of docs/authorities/vault.md.

const worlds = oneVaultWorld();
test.after(worlds.stop);

test('logged in by a token of a ServiceAccount that Vault verifies by the keys of the cluster, as the page says', async () => {
  const { world, follow, namespace, spec } = await vaultPlace(worlds);
  const { cluster } = world;
  const { stdout } = await cluster.kubectl(['get', '--raw', '/.well-known/openid-configuration']);
  await follow('By a JWT', namespace, {
    KUBERNETES_HOST: cluster.url,
    KUBERNETES_CA_FILE: cluster.caPath,
    TOKEN_ISSUER: JSON.parse(stdout).issuer,
  });
  await cluster.kubectl(['create', 'serviceaccount', 'stranger', '--namespace', namespace]);
  const allowed = ['--role=certwheel-stranger', '--serviceaccount=certwheel-system:certwheel', '-n', namespace];
  const right = ['--verb=create', '--resource=serviceaccounts/token', '--resource-name=stranger', '-n', namespace];
  await cluster.kubectl(['create', 'role', 'certwheel-stranger', ...right]);
  await cluster.kubectl(['create', 'rolebinding', 'certwheel-stranger', ...allowed]);

  const jwt = { role: 'certwheel', serviceAccountRef: { name: 'certwheel-vault' } };
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { jwt } }));
  await untilAuthority({ world, namespace });
  await create(world, clientCertificate(namespace, 'by-jwt'));
  await untilReady(world, namespace, 'by-jwt');

  const account = (more: object) => ({ ...jwt, serviceAccountRef: { ...jwt.serviceAccountRef, ...more } });
  const wrong: [object, string, string][] = [
    [account({ name: 'nobody' }), 'CredentialsNotFound', 'there is no ServiceAccount nobody'],
    [
      account({ name: 'stranger' }),
      'CredentialsRefused',
      'the login as ServiceAccount stranger with the role certwheel',
    ],
    [account({ audience: 'other' }), 'CredentialsRefused', 'compare with: vault read auth/jwt/role/certwheel'],
    [{ ...jwt, role: 'nothing' }, 'CredentialsRefused', 'role "nothing" could not be found'],
    [{ ...jwt, path: 'elsewhere' }, 'CredentialsRefused', 'at auth/elsewhere'],
  ];
  for (const [index, [auth, reason, says]] of wrong.entries()) {
    const name = `wrong-${index}`;
    await createAuthority({ world, namespace }, 'vault', spec({ auth: { jwt: auth } }), name);
    await untilAuthority({ world, namespace }, { status: 'False', reason, says }, { name });
  }
});

test('logged in by a JWT of another issuer from a Secret; an expired one is reported, and the next one is used at once', async () => {
  const { world, vault, controller, namespace, spec } = await vaultPlace(worlds);
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = issuer.publicKey.export({ type: 'spki', format: 'pem' });
  await vault.sh('vault auth enable -path=ci jwt');
  await vault.api('POST', 'auth/ci/config', {
    jwt_validation_pubkeys: [pem],
    bound_issuer: 'https://ci.example.org',
  });
  await vault.api('POST', 'auth/ci/role/certwheel', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: ['vault'],
    bound_subject: 'certwheel',
    // By default a JWT is taken for some minutes after its end.
    clock_skew_leeway: -1,
    expiration_leeway: -1,
    token_policies: ['certwheel'],
    token_ttl: '20m',
  });
  const jwtFor = (seconds: number, subject = 'certwheel') =>
    new SignJWT({ iss: 'https://ci.example.org', aud: 'vault', sub: subject })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuedAt(Math.floor(Date.now() / 1_000) - 60)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
      .sign(issuer.privateKey);
  const put = async (jwt: string) => patchSecret(world, namespace, 'ci-jwt', { data: { jwt: base64(`${jwt}\n`) } });
  const first = await jwtFor(300);
  await createSecret(world, namespace, 'ci-jwt', { data: { jwt: base64(`${first}\n`) } });
  const jwt = { role: 'certwheel', path: 'ci', secretRef: { name: 'ci-jwt' } };
  await createAuthority({ world, namespace }, 'vault', spec({ auth: { jwt } }));
  await create(world, clientCertificate(namespace, 'by-jwt'));
  await untilReady(world, namespace, 'by-jwt');

  const expired = await jwtFor(-10);
  await put(expired);
  const says = `the login by the JWT in key jwt of Secret ${namespace}/ci-jwt with the role certwheel at auth/ci`;
  const { message } = await untilAuthority(
    { world, namespace },
    { status: 'False', reason: 'CredentialsRefused', says },
  );
  assert.match(message, 'expired');
  await put(await jwtFor(300, 'someone else'));
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'CredentialsRefused', says: 'subject' });
  await put(await jwtFor(300));
  await untilAuthority({ world, namespace });
  await renewAt(world, namespace, 'by-jwt');
  await untilRevision(world, namespace, 'by-jwt-tls', 2);
  for (const secret of [first, expired]) assert.not.match(JSON.stringify(controller.logs), secret.slice(0, 60));
});

test.run();
