import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signedHeaders } from '../../../src/backends/aws-private-ca/sign.ts';
import { isPending } from '../../../src/backends/backend.ts';
import { CSR_LABEL } from '../../../src/pki/csr.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest } from '../../unit/issue-request.ts';
import { seededRandom } from '../process/support/chance.ts';
import { lazily } from '../support/lazily.ts';
import { awsSpec, direct } from './aws-direct.ts';
import { REGION, startFakeAws } from './servers/aws.ts';
import { type Oracle, startOracle } from './servers/aws-python.ts';
import { signatureProblem } from './servers/aws-signature.ts';

// AWS's own client, botocore, judges what Certwheel sends, and asks the fake that other tests use.

const { signal } = new AbortController();
const oracles = lazily(startOracle);
const servers = lazily(startFakeAws);
test.after(oracles.stop);

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const RUNS = 300;

interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly canonical: string;
}

test(`botocore signs ${RUNS} random requests as Certwheel does, and the fake takes them (SEED=${seed})`, async () => {
  const oracle = await oracles.get();
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = (alphabet: string, most: number) => {
    const characters = [...alphabet];
    return Array.from({ length: 1 + below(most) }, () => characters[below(characters.length)]).join('');
  };
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (let run = 0; run < RUNS; run++) {
    const keys = {
      accessKeyId: pick('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 20),
      secretAccessKey: pick(`${letters}0123456789/+=`, 40),
      ...(below(2) === 0 ? {} : { sessionToken: pick(`${letters}ABC0123456789/+=`, 500) }),
    };
    const host = `${pick(letters, 10)}.example.com${below(2) === 0 ? '' : `:${1 + below(65_000)}`}`;
    const path = below(2) === 0 ? '/' : `/${pick(`${letters}-._~`, 8).replaceAll('.', 'x')}/`;
    const body = pick(`${letters}{}":,é€𝄞 \\n`, 400);
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `ACMPrivateCA.${pick(letters, 12)}`,
      ...(below(2) === 0 ? {} : { [`x-${pick(letters, 5)}`]: pick(`${letters} `, 30).trim() || 'x' }),
    };
    const now = new Date(Date.UTC(2020 + below(30), below(12), 1 + below(28), below(24), below(60), below(60)));
    const [region, service] = [`${pick(letters, 3)}-${pick(letters, 5)}-${below(9)}`, 'acm-pca'];
    const url = new URL(`https://${host}${path}`);
    const ours = await signedHeaders({ method: 'POST', url, headers, body }, keys, { region, service, now });
    const date = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const theirs = await oracle.ask<Signed>({
      ask: 'sign',
      method: 'POST',
      url: url.href,
      headers,
      body,
      keys,
      region,
      service,
      date,
    });
    const asHeaders = Object.fromEntries(
      Object.entries(theirs.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    assert.is(ours.authorization, asHeaders.authorization, `run ${run}: ${theirs.canonical}`);
    const request = { method: 'POST', path, headers: { ...ours, host: url.host }, body: Buffer.from(body) };
    assert.is(
      signatureProblem(request, { region, service, now }, () => keys),
      undefined,
      `run ${run}`,
    );
    for (const spoilt of [
      { ...request, body: Buffer.from(`${body}x`) },
      { ...request, headers: { ...request.headers, 'x-amz-target': 'ACMPrivateCA.Other' } },
      { ...request, path: `${path}x` },
    ])
      assert.is(signatureProblem(spoilt, { region, service, now }, () => keys)?.name, 'InvalidSignatureException');
  }
});

test("what Certwheel sends, and what the fake answers, fits AWS's model of the API", async () => {
  const [oracle, aws] = [await oracles.get(), await servers.get()];
  for (const template of ['BlankEndEntityCertificate_APICSRPassthrough', 'BlankEndEntityCertificate_APIPassthrough']) {
    const templateArn = `arn:aws:acm-pca:::template/${template}/V1`;
    const backend = direct(awsSpec(aws, { templateArn }), { current: aws.accessKey() });
    await backend.check(signal);
    await backend.trust(signal);
    const issued = await backend.issue(await issueRequest(), signal);
    if (isPending(issued)) throw new Error('it is pending');
    await backend.revoke({ serialNumber: issued.chain[0]?.serialNumber ?? '' }, 'superseded', signal);
  }
  assert.is(new Set(aws.calls.map(({ operation }) => operation)).size, 5);
  for (const { operation, input } of aws.calls) {
    const { problem } = await problemOf(oracle, operation, input, false);
    assert.is(problem, '', operation);
    if (operation === 'RevokeCertificate' || operation === 'IssueCertificate') continue;
    const output = aws.service.answer(operation, input, new Date());
    assert.is((await problemOf(oracle, operation, output, true)).problem, '', `the answer to ${operation}`);
  }
  // The check itself can fail.
  assert.match(
    (await problemOf(oracle, 'GetCertificate', { CertificateArn: 3 }, false)).problem,
    'CertificateAuthorityArn',
  );
});

function problemOf(
  oracle: Oracle,
  operation: string,
  value: object,
  output: boolean,
): Promise<{ readonly problem: string }> {
  return oracle.ask({ ask: 'validate', service: 'acm-pca', operation, value, output });
}

test("AWS's own client gets a certificate from the fake, and understands its refusals", async () => {
  const [oracle, aws] = [await oracles.get(), await servers.get()];
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-aws-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const verify = join(folder, 'ca.pem');
  writeFileSync(verify, aws.tlsCa);
  const keys = aws.accessKey('DescribeCertificateAuthority');
  interface Called {
    readonly output?: Readonly<Record<string, string>>;
    readonly code?: string;
  }
  const call = (operation: string, input: object, service = 'acm-pca', by: object = keys) =>
    oracle.ask<Called>({ ask: 'call', service, region: REGION, endpoint: aws.url, verify, keys: by, operation, input });
  const CertificateAuthorityArn = aws.arn;
  const request = await issueRequest();
  const issue = {
    CertificateAuthorityArn,
    Csr: Buffer.from(toPem(CSR_LABEL, request.csr())).toString('base64'),
    SigningAlgorithm: 'SHA256WITHECDSA',
    Validity: { Type: 'DAYS', Value: 2 },
    IdempotencyToken: randomBytes(8).toString('hex'),
  };
  const { output } = await call('IssueCertificate', issue);
  const CertificateArn = output?.CertificateArn ?? '';
  assert.match(CertificateArn, CertificateAuthorityArn);
  assert.is((await call('IssueCertificate', issue)).output?.CertificateArn, CertificateArn);
  const got = await call('GetCertificate', { CertificateAuthorityArn, CertificateArn });
  assert.match(got.output?.Certificate ?? '', 'BEGIN CERTIFICATE');
  assert.is((await call('DescribeCertificateAuthority', { CertificateAuthorityArn })).code, 'AccessDeniedException');
  const garbage = { ...issue, IdempotencyToken: 'x', Csr: Buffer.from('none').toString('base64') };
  assert.is((await call('IssueCertificate', garbage)).code, 'MalformedCSRException');
  const wrong = { ...keys, secretAccessKey: 'wrong' };
  assert.is(
    (await call('GetCertificate', { CertificateAuthorityArn, CertificateArn }, 'acm-pca', wrong)).code,
    'InvalidSignatureException',
  );
  const roleArn = 'arn:aws:iam::111122223333:role/issuer';
  aws.sts.roles.set(roleArn, { accessKeyId: keys.accessKeyId, externalId: 'certwheel' });
  const assume = { RoleArn: roleArn, RoleSessionName: 'test' };
  const assumed = await call('AssumeRole', { ...assume, ExternalId: 'certwheel' }, 'sts');
  assert.ok(assumed.output?.Credentials);
  assert.is((await call('AssumeRole', assume, 'sts')).code, 'AccessDenied');
  assert.is(
    (await call('AssumeRoleWithWebIdentity', { ...assume, WebIdentityToken: 'a.b.c.d' }, 'sts')).code,
    'InvalidIdentityToken',
  );
});

test.run();
