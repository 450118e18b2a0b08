import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/clock.ts';
import { CertwheelError } from '../../../src/errors.ts';
import { onStop } from '../../teardown.ts';
import { lazily } from '../support/lazily.ts';
import { awsSpec, direct } from './aws-direct.ts';
import { type FakeAws, startFakeAws } from './servers/aws.ts';

// The ways to credentials of AWS, with tokens of a cluster whose key the test has.

const { signal } = new AbortController();
const ROLE = 'arn:aws:iam::111122223333:role/certwheel';
const CA_ROLE = 'arn:aws:iam::444455556666:role/ca';
const SUBJECT = 'system:serviceaccount:shop:issuer';
const servers = lazily(startFakeAws);
test.after(servers.stop);

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** As the API server signs them. */
function tokenOf(subject: string, audience: string, key: KeyObject = privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const content = `${part({ alg: 'ES256' })}.${part({ sub: subject, aud: [audience], exp })}`;
  return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function fresh(): Promise<FakeAws> {
  const aws = await servers.get();
  aws.sts.issuerKeys = [publicKey.export({ format: 'jwk' })];
  aws.sts.roles.clear();
  aws.sts.roles.set(ROLE, { subject: SUBJECT });
  aws.sts.sessionSeconds = 3_600;
  return aws;
}

async function failureOf(asked: Promise<unknown>): Promise<CertwheelError> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CertwheelError) return error;
  throw error ?? new Error('it did not fail');
}

const byServiceAccount = { serviceAccountRef: { name: 'issuer', roleArn: ROLE } };
const nobody = { current: { accessKeyId: '', secretAccessKey: '' } };
const token = async (name: string, audience: string) => tokenOf(`system:serviceaccount:shop:${name}`, audience);

function folderWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-aws-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'token');
  writeFileSync(path, content);
  return path;
}

test('a ServiceAccount logs in once, and its session is used until two thirds of it are over', async () => {
  const aws = await fresh();
  let aheadMs = 0;
  const clock = { ...systemClock, monotonicMs: () => performance.now() + aheadMs };
  const backend = direct(awsSpec(aws, { auth: byServiceAccount }), nobody, { token, clock, clusterWide: false });
  const { logins } = aws.sts;
  await Promise.all([backend.check(signal), backend.trust(signal), backend.check(signal)]);
  assert.is(aws.sts.logins, logins + 1);
  aheadMs = 2_300_000;
  await backend.check(signal);
  assert.is(aws.sts.logins, logins + 1);
  aheadMs = 2_500_000;
  await backend.check(signal);
  assert.is(aws.sts.logins, logins + 2);
});

test('a session that ended early is replaced by another login', async () => {
  const aws = await fresh();
  aws.sts.sessionSeconds = 1;
  const clock = { ...systemClock, monotonicMs: () => 1 };
  const backend = direct(awsSpec(aws, { auth: byServiceAccount }), nobody, { token, clock });
  await backend.check(signal);
  const { logins } = aws.sts;
  aws.sts.sessionSeconds = 3_600;
  await systemClock.sleep(1_100);
  await backend.check(signal);
  assert.is(aws.sts.logins, logins + 1);
});

test('while STS refuses, a session that is still good is used', async () => {
  const aws = await fresh();
  let aheadMs = 0;
  const clock = { ...systemClock, monotonicMs: () => performance.now() + aheadMs };
  const backend = direct(awsSpec(aws, { auth: byServiceAccount }), nobody, { token, clock });
  await backend.check(signal);
  aws.sts.roles.clear();
  aheadMs = 3_000_000;
  await backend.check(signal);
  aheadMs = 3_700_000;
  assert.is((await failureOf(backend.check(signal))).code, 'CredentialsRefused');
});

for (const [what, auth, trusts, says] of [
  [
    'a role that trusts another ServiceAccount',
    byServiceAccount,
    'system:serviceaccount:shop:other',
    "the role's trust policy doesn't allow it",
  ],
  [
    'a token with another audience',
    { serviceAccountRef: { ...byServiceAccount.serviceAccountRef, audience: 'elsewhere' } },
    SUBJECT,
    "the role's trust policy doesn't allow it",
  ],
  [
    'a role that does not exist',
    { serviceAccountRef: { name: 'issuer', roleArn: `${ROLE}s` } },
    SUBJECT,
    'or there is no such role: the login as arn:aws:iam::111122223333:role/certwheels with a token of ServiceAccount shop/issuer',
  ],
] as const)
  test(`${what} is told of`, async () => {
    const aws = await fresh();
    aws.sts.roles.set(ROLE, { subject: trusts });
    const error = await failureOf(direct(awsSpec(aws, { auth }), nobody, { token }).check(signal));
    assert.is(error.code, 'CredentialsRefused');
    assert.match(error.message, says);
  });

test('a cluster whose tokens IAM does not know is told of, without the token', async () => {
  const aws = await fresh();
  aws.sts.issuerKeys = [];
  const error = await failureOf(direct(awsSpec(aws, { auth: byServiceAccount }), nobody, { token }).check(signal));
  assert.match(error.message, 'aws iam list-open-id-connect-providers');
  assert.not.match(error.message, 'eyJ');
});

test('a role of another account is assumed on top, with its external id, which is asked for', async () => {
  const aws = await fresh();
  const keys = { current: aws.accessKey() };
  aws.sts.roles.set(CA_ROLE, { accessKeyId: keys.current.accessKeyId, externalId: 'certwheel-1' });
  const spec = awsSpec(aws, { assumeRoleArn: CA_ROLE, externalId: 'certwheel-1' });
  await direct(spec, keys).check(signal);
  assert.match(aws.calls.at(-1)?.accessKeyId ?? '', /^ASIA/);
  const without = awsSpec(aws, { assumeRoleArn: CA_ROLE });
  const error = await failureOf(direct(without, keys).check(signal));
  assert.match(error.message, `assuming the role ${CA_ROLE} was answered AccessDenied`);
  assert.not.match(error.message, keys.current.secretAccessKey);
});

test('an address of the cloud is not asked as STS either', async () => {
  const aws = await fresh();
  const spec = awsSpec(aws, { auth: byServiceAccount, stsEndpoint: 'https://169.254.169.254' });
  const error = await failureOf(direct(spec, nobody, { token }).check(signal));
  assert.match(error.message, '169.254.169.254 is a link-local address');
});

test("the controller's own identity is refused to a CertificateAuthority, and nothing is asked", async () => {
  const aws = await fresh();
  const environment = {
    AWS_WEB_IDENTITY_TOKEN_FILE: folderWith(tokenOf(SUBJECT, 'sts.amazonaws.com')),
    AWS_ROLE_ARN: ROLE,
  };
  const [calls, { logins }] = [aws.calls.length, aws.sts];
  const backend = direct(awsSpec(aws, { auth: { ambient: {} } }), nobody, { environment, clusterWide: false });
  for (const asked of [backend.check(signal), backend.trust(signal)])
    assert.match((await failureOf(asked)).message, 'auth.ambient is for a ClusterCertificateAuthority alone');
  assert.equal([aws.calls.length, aws.sts.logins], [calls, logins]);
});

test("IRSA of the controller's pod, whose token the kubelet replaces", async () => {
  const aws = await fresh();
  const path = folderWith(tokenOf('system:serviceaccount:other:other', 'sts.amazonaws.com'));
  const environment = { AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ROLE };
  const backend = direct(awsSpec(aws, { auth: { ambient: {} } }), nobody, { environment });
  assert.is((await failureOf(backend.check(signal))).code, 'CredentialsRefused');
  writeFileSync(path, `${tokenOf(SUBJECT, 'sts.amazonaws.com')}\n`);
  await backend.check(signal);
});

test("EKS Pod Identity of the controller's pod, by its agent", async () => {
  const aws = await fresh();
  const { accessKeyId, secretAccessKey } = aws.accessKey();
  const path = folderWith('the token of the pod');
  let isThere = true;
  const agent = createServer((incoming, outgoing) => {
    if (!isThere || incoming.headers.authorization !== 'the token of the pod')
      return void outgoing.writeHead(403).end('{}');
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    outgoing.setHeader('content-type', 'application/json');
    outgoing.end(JSON.stringify({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: '', Expiration }));
  });
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  onStop(() => agent.close());
  const { port } = agent.address() as AddressInfo;
  const environment = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path,
  };
  const spec = awsSpec(aws, { auth: { ambient: {} } });
  await direct(spec, nobody, { environment }).check(signal);
  isThere = false;
  const error = await failureOf(direct(spec, nobody, { environment }).check(signal));
  assert.match(error.message, "is the controller's ServiceAccount associated with a role?");
  assert.not.match(error.message, 'the token of the pod');
  const elsewhere = { ...environment, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://192.0.2.1/v1/credentials' };
  assert.is(
    (await failureOf(direct(spec, nobody, { environment: elsewhere }).check(signal))).code,
    'CredentialsRefused',
  );
});

test('a pod without credentials is told what to do', async () => {
  const aws = await fresh();
  const error = await failureOf(direct(awsSpec(aws, { auth: { ambient: {} } }), nobody).check(signal));
  assert.is(error.code, 'CredentialsNotFound');
  assert.match(error.message, 'aws eks create-pod-identity-association');
});

test.run();
