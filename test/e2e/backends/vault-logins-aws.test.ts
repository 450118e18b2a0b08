import { generateKeyPairSync, sign } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/clock.ts';
import { CertwheelError } from '../../../src/errors.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { ACCOUNT, type FakeAws, REGION, startFakeAws } from './servers/aws.ts';
import type { Keys } from './servers/aws-sts.ts';
import { startVault, type Vault } from './servers/vault.ts';
import { direct } from './vault-direct.ts';
import { commandsOf, vaultSpec } from './vault-world.ts';

// Vault's own AWS auth method, set up by the commands of its part of docs/authorities/vault.md. The STS that it asks verifies
// each signature, and is no AWS, which can't be had here.

const { signal } = new AbortController();
const ROLE = `arn:aws:iam::${ACCOUNT}:role/certwheel`;
const SERVER_ID = 'vault.example.com';
const SECRET = 'aws-key';

interface Stage {
  readonly vault: Vault;
  readonly aws: FakeAws;
}

const shared = lazily(async (): Promise<Stage> => {
  const aws = await startFakeAws();
  const vault = await startVault({ plugins: ['aws'], trusts: aws.tlsCa });
  onStop(() => vault.stop());
  await vault.sh(commandsOf('The CA and the role'));
  await vault.sh(commandsOf('By AWS IAM'), { AWS_REGION: REGION, PRINCIPAL_ARN: ROLE });
  // The same configuration with this STS in place of AWS's.
  await vault.sh(`vault write auth/aws/config/client sts_endpoint=${aws.url}`);
  return { vault, aws };
});
test.after(shared.stop);

/** An access key whose owner STS knows. */
function keyOf(aws: FakeAws, arn: string): Keys {
  const keys = aws.accessKey();
  aws.sts.callers.set(keys.accessKeyId, arn);
  return keys;
}

const secretsOf = ({ accessKeyId, secretAccessKey, sessionToken }: Keys) => ({
  [SECRET]: {
    'access-key-id': accessKeyId,
    'secret-access-key': secretAccessKey,
    ...(sessionToken === undefined ? {} : { 'session-token': sessionToken }),
  },
});

const assumed = (role: string) => `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/x`;

function specOf({ vault }: Stage, more: Readonly<Record<string, unknown>> = {}) {
  const credentials = { secretRef: { name: SECRET } };
  const aws = { path: 'aws', role: 'certwheel', region: REGION, serverIDHeader: SERVER_ID, credentials, ...more };
  return vaultSpec(vault, { auth: { aws } });
}

async function failureOf(asked: Promise<unknown>): Promise<CertwheelError> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CertwheelError) return error;
  throw error ?? new Error('it did not fail');
}

test('logged in by an access key that STS knows as the role that Vault expects, and a certificate is issued', async () => {
  const stage = await shared.get();
  const { backend } = direct(specOf(stage), secretsOf(keyOf(stage.aws, assumed('certwheel'))), { clusterWide: false });
  await backend.check(signal);
  const leaf = leafOf(await backend.issue(await issueRequest('by-aws'), signal));
  assert.is(leaf.subject.commonName, 'by-aws');
});

test('another key in the same Secret means another login', async () => {
  const stage = await shared.get();
  const { backend, secrets } = direct(specOf(stage), secretsOf(keyOf(stage.aws, assumed('certwheel'))));
  await backend.check(signal);
  const wrong = secretsOf(keyOf(stage.aws, assumed('other')))[SECRET];
  secrets.set(SECRET, wrong as Record<string, string>);
  assert.match((await failureOf(backend.check(signal))).message, 'does not belong to the role');
});

test('Vault gets a signed request, and never the secret key', async () => {
  const stage = await shared.get();
  const { vault } = stage;
  const proxy = await startMeddler({ url: vault.url, ca: vault.ca }, vault.tls);
  const keys = keyOf(stage.aws, assumed('certwheel'));
  await direct({ ...specOf(stage), server: proxy.url }, secretsOf(keys)).backend.check(signal);
  const sent = proxy.exchanges.map(({ path, body }) => {
    const { iam_request_headers = '' } = body.length === 0 ? {} : JSON.parse(body.toString());
    return `${path} ${body} ${Buffer.from(iam_request_headers, 'base64')}`;
  });
  assert.ok(sent.some((each) => each.includes(keys.accessKeyId)));
  for (const each of sent) assert.not.ok(each.includes(keys.secretAccessKey));
});

const WRONG: Record<string, { spec?: object; arn?: string; says: string }> = {
  'of another principal': {
    arn: assumed('other'),
    says: `the login by the keys in Secret ns/${SECRET} with the role certwheel at auth/aws was answered 403`,
  },
  'with a role that does not exist': { spec: { role: 'nothing' }, says: 'entry for role nothing not found' },
  'without the header that Vault demands': { spec: { serverIDHeader: undefined }, says: 'missing header' },
  'with the header of another Vault': { spec: { serverIDHeader: 'other.example.com' }, says: 'other.example.com' },
  'signed for another region': {
    spec: { region: 'us-east-1' },
    says: 'compare with: vault read auth/aws/role/certwheel',
  },
  'signed for the global STS': { spec: { region: undefined }, says: 'vault read auth/aws/config/client' },
  'where the mount is another': { spec: { path: 'elsewhere' }, says: 'at auth/elsewhere' },
};
for (const [what, { spec, arn = assumed('certwheel'), says }] of Object.entries(WRONG))
  test(`a login ${what} is denied, and reported without the key`, async () => {
    const stage = await shared.get();
    const keys = keyOf(stage.aws, arn);
    const error = await failureOf(direct(specOf(stage, { ...spec }), secretsOf(keys)).backend.check(signal));
    assert.is(error.code, 'CredentialsRefused');
    assert.match(error.message, says);
    assert.not.match(error.message, keys.secretAccessKey);
    assert.not.match(error.message, /Signature=/);
  });

test('a key that AWS does not know is denied', async () => {
  const stage = await shared.get();
  const keys = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'what nobody knows' };
  const error = await failureOf(direct(specOf(stage), secretsOf(keys)).backend.check(signal));
  assert.is(error.code, 'CredentialsRefused');
  assert.not.match(error.message, keys.secretAccessKey);
});

test('a role that trusts a ServiceAccount logs in, and so does a role that another one assumes', async () => {
  const stage = await shared.get();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = async (name: string, audience: string) => {
    const exp = Math.floor(Date.now() / 1_000) + 600;
    const sub = `system:serviceaccount:ns:${name}`;
    const content = `${part({ alg: 'ES256' })}.${part({ sub, aud: [audience], exp })}`;
    const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${content}.${signature.toString('base64url')}`;
  };
  const { sts, url, tlsCa } = stage.aws;
  // This STS is asked as AWS's own is: its CA must be one of the system.
  setDefaultCACertificates([...getCACertificates('default'), tlsCa]);
  sts.issuerKeys = [publicKey.export({ format: 'jwk' })];
  sts.roles.set(ROLE, { subject: 'system:serviceaccount:ns:issuer' });
  const credentials = { serviceAccountRef: { name: 'issuer', roleArn: ROLE, audience: 'sts.amazonaws.com' } };
  const spec = specOf(stage, { credentials, stsEndpoint: url });
  const { backend } = direct(spec, {}, { token });
  const { logins } = sts;
  await backend.check(signal);
  leafOf(await backend.issue(await issueRequest('by-role'), signal));
  assert.is(sts.logins, logins + 1);

  // Vault's token and the session of AWS end early: the next request gets both anew.
  sts.sessionSeconds = 1;
  const again = direct(spec, {}, { token }).backend;
  await again.check(signal);
  sts.sessionSeconds = 3_600;
  await systemClock.sleep(1_100);
  await stage.vault.sh('vault token revoke -mode=path auth/aws');
  await again.check(signal);
  assert.is(sts.logins, logins + 3);

  const keys = stage.aws.accessKey();
  sts.roles.set(ROLE, { accessKeyId: keys.accessKeyId, externalId: 'certwheel-1' });
  const assuming = { stsEndpoint: url, assumeRoleArn: ROLE, externalId: 'certwheel-1' };
  await direct(specOf(stage, assuming), secretsOf(keys)).backend.check(signal);
  const without = await failureOf(
    direct(specOf(stage, { ...assuming, externalId: undefined }), secretsOf(keys)).backend.check(signal),
  );
  assert.match(without.message, `assuming the role ${ROLE} was answered AccessDenied`);
});

test("the controller's own credentials are refused to a CertificateAuthority, and so is an STS of its own choice", async () => {
  const stage = await shared.get();
  const ambient = direct(specOf(stage, { credentials: { ambient: {} } }), {}, { clusterWide: false });
  assert.match(
    (await failureOf(ambient.backend.check(signal))).message,
    'vault.auth.aws.credentials.ambient is for a ClusterCertificateAuthority alone',
  );
  const elsewhere = specOf(stage, { stsEndpoint: 'https://sts.example.com' });
  const error = await failureOf(direct(elsewhere, {}, { clusterWide: false }).backend.check(signal));
  assert.match(error.message, 'spec.vault.auth.aws.stsEndpoint names sts.example.com, which is no STS of AWS');
  const cloud = specOf(stage, { stsEndpoint: 'https://169.254.169.254', assumeRoleArn: ROLE });
  const refused = await failureOf(direct(cloud, secretsOf(stage.aws.accessKey())).backend.check(signal));
  assert.match(refused.message, '169.254.169.254 is a link-local address');
});

test.run();
