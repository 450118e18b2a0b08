import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, type Issued, isPending, type Pending } from '../../../src/backends/backend.ts';
import { systemClock } from '../../../src/clock.ts';
import { CertwheelError } from '../../../src/errors.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { awsSpec, direct } from './aws-direct.ts';
import { type FakeAws, startFakeAws } from './servers/aws.ts';
import type { Keys } from './servers/aws-sts.ts';

// The backend by itself, before a fake of AWS that verifies signatures.

const { signal } = new AbortController();
const DAY = 86_400_000;
const servers = lazily(startFakeAws);
test.after(servers.stop);

/** The shared fake as new, with a key that may do all but this. */
async function fresh(...denied: readonly string[]): Promise<{ aws: FakeAws; keys: { current: Keys } }> {
  const aws = await servers.get();
  Object.assign(aws.service.state, {
    status: 'ACTIVE',
    usageMode: 'GENERAL_PURPOSE',
    keyAlgorithm: 'EC_prime256v1',
    crl: true,
    polls: 0,
    failures: 0,
  });
  aws.skewMs = 0;
  aws.throttled.clear();
  return { aws, keys: { current: aws.accessKey(...denied) } };
}

async function failureOf(asked: Promise<unknown>): Promise<CertwheelError> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof CertwheelError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Asserts kind, code and words of a failure. */
async function fails(asked: Promise<unknown>, name: string, code: string, says: string): Promise<void> {
  const error = await failureOf(asked);
  assert.equal([error.name, error.code], [name, code], error.message);
  assert.match(error.message, says);
}

async function untilIssued(backend: Backend, request: Awaited<ReturnType<typeof issueRequest>>): Promise<Issued> {
  let answer: Issued | Pending = await backend.issue(request, signal);
  for (let tries = 0; isPending(answer) && tries < 10; tries++)
    answer = await backend.issue({ ...request, ticket: answer.ticket }, signal);
  if (isPending(answer)) throw new Error('still pending');
  return answer;
}

test('a certificate has the validity that was asked for, and the chain ends below the root', async () => {
  const { aws, keys } = await fresh();
  const backend = direct(awsSpec(aws), keys);
  await backend.check(signal);
  const { anchors, intermediates } = await backend.trust(signal);
  assert.equal([anchors.length, intermediates.length], [1, 1]);
  const before = Date.now();
  const issued = await untilIssued(backend, await issueRequest());
  const [leaf, ...above] = issued.chain;
  assert.equal(
    above.map(({ pem }) => pem),
    intermediates.map(({ pem }) => pem),
  );
  assert.ok(Math.abs((leaf?.notAfter.getTime() ?? 0) - before - 3_600_000) < 5_000);
  assert.ok(Math.abs((leaf?.notBefore.getTime() ?? 0) - before + 60_000) < 5_000);
  assert.equal([...(leaf?.usages ?? [])].sort(), ['client auth', 'digital signature']);
  assert.match(issued.externalId ?? '', `${aws.arn}/certificate/`);
});

test('a request that takes long is pending, and its ticket brings the certificate of the same request', async () => {
  const { aws, keys } = await fresh();
  aws.service.state.polls = 6;
  const backend = direct(awsSpec(aws), keys);
  const request = await issueRequest();
  const first = await backend.issue(request, signal);
  assert.ok(isPending(first));
  assert.match((first as Pending).message, (first as Pending).ticket);
  const booked = aws.service.books.length;
  const issued = await untilIssued(backend, { ...request, ticket: (first as Pending).ticket });
  assert.ok(leafOf(issued).publicKeyDer.equals(request.publicKey));
  assert.is(aws.service.books.length, booked);
});

test('the same request made again after a lost answer, by two replicas too, brings one certificate', async () => {
  const { aws, keys } = await fresh();
  const [one, other] = [direct(awsSpec(aws), keys), direct(awsSpec(aws), keys)];
  const request = await issueRequest();
  const booked = aws.service.books.length;
  const answers = await Promise.all([
    untilIssued(one, request),
    untilIssued(other, request),
    untilIssued(one, request),
  ]);
  assert.is(new Set(answers.map((each) => leafOf(each).serialNumber)).size, 1);
  assert.is(aws.service.books.length, booked + 1);
});

test('a failure while the certificate is fetched loses no ticket', async () => {
  const { aws, keys } = await fresh();
  const backend = direct(awsSpec(aws), keys);
  aws.throttled.set('GetCertificate', 1);
  const request = await issueRequest();
  const pending = await backend.issue(request, signal);
  assert.ok(isPending(pending));
  assert.ok(leafOf(await untilIssued(backend, { ...request, ticket: (pending as Pending).ticket })));
});

test('a request that failed, a ticket of another CA and one that AWS does not know lead to another request', async () => {
  const { aws, keys } = await fresh();
  const backend = direct(awsSpec(aws), keys);
  aws.service.state.failures = 1;
  const request = await issueRequest();
  const pending = (await backend.issue(request, signal)) as Pending;
  const calls = aws.calls.length;
  const foreign = aws.arn.replace('1111-2222', '1111-9999');
  for (const ticket of [
    pending.ticket,
    `${aws.arn}/certificate/0`,
    `${foreign}/certificate/0`,
    `${aws.arn}/certificate/../x`,
  ])
    await fails(backend.issue({ ...request, ticket }, signal), 'RetryableError', 'RequestFailed', '');
  // Of another CA's ARN AWS is never asked.
  assert.is(aws.calls.length - calls, 2);
});

test('in the mode SHORT_LIVED_CERTIFICATE more than 7 days are refused before AWS is asked, and 7 days are granted', async () => {
  const { aws, keys } = await fresh();
  aws.service.state.usageMode = 'SHORT_LIVED_CERTIFICATE';
  const backend = direct(awsSpec(aws), keys);
  await backend.check(signal);
  const booked = aws.service.books.length;
  const long = await issueRequest('long', { lifetimeMs: 7 * DAY + 1 });
  await fails(backend.issue(long, signal), 'DeniedError', 'RequestDenied', 'set spec.duration to 168h or less');
  assert.is(aws.service.books.length, booked);
  const leaf = leafOf(await untilIssued(backend, await issueRequest('week', { lifetimeMs: 7 * DAY })));
  assert.ok(leaf.notAfter.getTime() - leaf.notBefore.getTime() <= 7 * DAY);
  assert.ok(leaf.notAfter.getTime() - Date.now() > 7 * DAY - 120_000);
});

test('a life beyond that of the CA is cut short', async () => {
  const { aws, keys } = await fresh();
  const leaf = leafOf(
    await untilIssued(direct(awsSpec(aws), keys), await issueRequest('long', { lifetimeMs: 3_000 * DAY })),
  );
  const { notAfter } = aws.service.ca.intermediate.certificate;
  assert.ok(leaf.notAfter <= notAfter && notAfter.getTime() - leaf.notAfter.getTime() < 20_000);
});

test('the template for TLS clients is used for the usages that it writes, and refused for others beforehand', async () => {
  const { aws, keys } = await fresh();
  const templateArn = 'arn:aws:acm-pca:::template/EndEntityClientAuthCertificate/V1';
  const backend = direct(awsSpec(aws, { templateArn }), keys);
  const request = await issueRequest();
  await fails(backend.issue(request, signal), 'DeniedError', 'RequestDenied', 'lacks key encipherment');
  const usages = ['digital signature', 'key encipherment', 'client auth'];
  const issued = await untilIssued(backend, { ...request, identity: { ...request.identity, usages } });
  assert.equal([...leafOf(issued).usages].sort(), [...usages].sort());
});

test('the blank template that ignores the CSR gets its usages by the API', async () => {
  const { aws, keys } = await fresh();
  const templateArn = 'arn:aws:acm-pca:::template/BlankEndEntityCertificate_APIPassthrough/V1';
  const backend = direct(awsSpec(aws, { templateArn }), keys);
  const request = await issueRequest();
  assert.equal([...leafOf(await untilIssued(backend, request)).usages].sort(), ['client auth', 'digital signature']);
  const identity = { ...request.identity, usages: ['digital signature', 'ipsec user'] };
  await fails(
    backend.issue({ ...request, identity }, signal),
    'DeniedError',
    'RequestDenied',
    'no word for the usage ipsec user',
  );
});

for (const [status, code, says] of [
  [
    'DISABLED',
    'AuthorityMisconfigured',
    'update-certificate-authority --status ACTIVE --certificate-authority-arn arn:aws:acm-pca',
  ],
  ['EXPIRED', 'CAExpired', 'import-certificate-authority-certificate'],
  ['DELETED', 'AuthorityMisconfigured', 'restore-certificate-authority'],
  ['PENDING_CERTIFICATE', 'AuthorityMisconfigured', 'install its certificate'],
] as const)
  test(`a CA that is ${status} is told of with the command that mends it`, async () => {
    const { aws, keys } = await fresh();
    const backend = direct(awsSpec(aws), keys);
    await backend.check(signal);
    aws.service.state.status = status;
    await fails(backend.check(signal), 'AuthorityError', code, says);
    await fails(backend.issue(await issueRequest(), signal), 'AuthorityError', code, says);
  });

test('a key that may not issue, and one that AWS no longer knows, are told of by the check', async () => {
  const { aws, keys } = await fresh('IssueCertificate');
  await fails(
    direct(awsSpec(aws), keys).check(signal),
    'AuthorityError',
    'CredentialsRefused',
    'may not do this; see the policy',
  );
  aws.deleteKey(keys.current);
  const error = await failureOf(direct(awsSpec(aws), keys).check(signal));
  assert.match(error.message, "AWS doesn't take the keys in Secret shop/aws-key");
  assert.not.match(error.message, keys.current.secretAccessKey);
});

test('keys that are replaced in the Secret are used at once', async () => {
  const { aws, keys } = await fresh();
  const backend = direct(awsSpec(aws), keys);
  await backend.check(signal);
  aws.deleteKey(keys.current);
  keys.current = aws.accessKey();
  await backend.check(signal);
});

for (const [skewMs, says] of [
  [20 * 60_000, 'the clock of Certwheel is 20 minutes behind that of AWS'],
  [-20 * 60_000, 'the clock of Certwheel is 20 minutes ahead of that of AWS'],
] as const)
  test(`a clock that differs is told of: ${says}`, async () => {
    const { aws, keys } = await fresh();
    aws.skewMs = skewMs;
    await fails(direct(awsSpec(aws), keys).check(signal), 'AuthorityError', 'CredentialsRefused', says);
  });

test('throttling is told of as such, and asked once', async () => {
  const { aws, keys } = await fresh();
  const backend = direct(awsSpec(aws), keys);
  await backend.check(signal);
  aws.throttled.set('IssueCertificate', 1);
  const calls = aws.calls.length;
  await fails(
    backend.issue(await issueRequest(), signal),
    'AuthorityError',
    'AuthorityBusy',
    'ThrottlingException: Rate exceeded',
  );
  assert.is(aws.calls.length, calls);
});

test('a CA with short lives and without a CRL is not asked to revoke', async () => {
  const { aws, keys } = await fresh();
  Object.assign(aws.service.state, { usageMode: 'SHORT_LIVED_CERTIFICATE', crl: false });
  const backend = direct(awsSpec(aws), keys);
  const { serialNumber } = leafOf(await untilIssued(backend, await issueRequest()));
  await fails(
    backend.revoke({ serialNumber }, 'superseded', signal),
    'DeniedError',
    'RequestDenied',
    'neither CRL nor OCSP',
  );
});

test('revoking is told to AWS with its reason, a second time too', async () => {
  const { aws, keys } = await fresh();
  const backend = direct(awsSpec(aws), keys);
  const reasons = {
    unspecified: 'UNSPECIFIED',
    keyCompromise: 'KEY_COMPROMISE',
    affiliationChanged: 'AFFILIATION_CHANGED',
    superseded: 'SUPERSEDED',
    cessationOfOperation: 'CESSATION_OF_OPERATION',
  } as const;
  for (const [reason, said] of Object.entries(reasons)) {
    const { serialNumber } = leafOf(await untilIssued(backend, await issueRequest(reason)));
    for (let time = 1; time <= 2; time++)
      await backend.revoke({ serialNumber }, reason as keyof typeof reasons, signal);
    assert.is(aws.service.books.at(-1)?.revoked, said);
  }
});

test('an algorithm that does not fit the key of the CA, and a key that TLS does not know, are told of by the check', async () => {
  const { aws, keys } = await fresh();
  const wrong = direct(awsSpec(aws, { signingAlgorithm: 'SHA256WITHRSA' }), keys);
  await fails(wrong.check(signal), 'AuthorityError', 'AuthorityMisconfigured', 'use one that ends with ECDSA');
  aws.service.state.keyAlgorithm = 'ML_DSA_65';
  await fails(
    direct(awsSpec(aws), keys).check(signal),
    'AuthorityError',
    'AuthorityMisconfigured',
    'a key of the kind ML_DSA_65',
  );
});

test('a clock that Certwheel is given is the one that signs', async () => {
  const { aws, keys } = await fresh();
  const clock = { ...systemClock, now: () => new Date(Date.now() + 2 * 60_000) };
  await direct(awsSpec(aws), keys, { clock }).check(signal);
});

test.run();
