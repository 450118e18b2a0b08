import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exceptionIn, isAboutKeys, refusalOf, troubleOf } from './exceptions.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const answer = (body: unknown, headers: Record<string, string> = {}, status = 400) => ({
  status,
  headers,
  bytes: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  all: () => [],
  retryAfterMs: undefined,
});
const CIRCUMSTANCES = { what: 'IssueCertificate for arn', keys: 'the keys in Secret shop/key', now: NOW };

test('the name of an exception comes without what is around it', () => {
  const nameOf = (body: unknown, headers = {}) => exceptionIn(answer(body, headers))?.name;
  assert.is(
    nameOf({ __type: 'com.amazonaws.acmpca#ResourceNotFoundException', message: 'x' }),
    'ResourceNotFoundException',
  );
  assert.is(nameOf({ __type: 'ThrottlingException' }), 'ThrottlingException');
  assert.is(
    nameOf('{}', { 'x-amzn-errortype': 'AccessDeniedException:http://internal.amazon.com/coral/' }),
    'AccessDeniedException',
  );
  assert.equal(exceptionIn(answer({ __type: 'A', Message: 'with a capital' })), {
    name: 'A',
    message: 'with a capital',
  });
  for (const other of ['', '<html>', '[]', 'null', '{"kind":"Status"}', '{"__type":7}', '{"__type":"two words"}'])
    assert.is(nameOf(other), undefined, other);
});

test('each exception has a code that says what happens next', () => {
  const told = (name: string, headers = {}, status = 400) => {
    const error = refusalOf({ name, message: 'm' }, answer('', headers, status), CIRCUMSTANCES);
    return `${error.name} ${error.code}`;
  };
  const rows: Readonly<Record<string, string>> = {
    MalformedCSRException: 'DeniedError RequestDenied',
    InvalidArgsException: 'DeniedError RequestDenied',
    ValidationException: 'DeniedError RequestDenied',
    RequestFailedException: 'RetryableError RequestFailed',
    AccessDeniedException: 'AuthorityError CredentialsRefused',
    UnrecognizedClientException: 'AuthorityError CredentialsRefused',
    InvalidSignatureException: 'AuthorityError CredentialsRefused',
    ExpiredTokenException: 'AuthorityError CredentialsRefused',
    ResourceNotFoundException: 'AuthorityError AuthorityMisconfigured',
    InvalidArnException: 'AuthorityError AuthorityMisconfigured',
    InvalidStateException: 'AuthorityError AuthorityMisconfigured',
    LimitExceededException: 'AuthorityError AuthorityBusy',
    ThrottlingException: 'AuthorityError AuthorityBusy',
    ConcurrentModificationException: 'AuthorityError AuthorityBusy',
    InternalFailure: 'AuthorityError AuthorityUnavailable',
    SomethingNewException: 'AuthorityError AuthorityMisconfigured',
  };
  for (const [name, wanted] of Object.entries(rows)) assert.is(told(name), wanted, name);
  assert.is(told('SomethingNewException', {}, 503), 'AuthorityError AuthorityUnavailable');
});

test('a difference of the clocks is told of where the signature was refused, and where it is one', () => {
  const message = (name: string, date: string) =>
    troubleOf({ name, message: '' }, answer('', { date }), CIRCUMSTANCES).message;
  assert.match(
    message('InvalidSignatureException', 'Mon, 01 Jun 2026 12:10:00 GMT'),
    'is 10 minutes behind that of AWS',
  );
  assert.match(
    message('InvalidSignatureException', 'Mon, 01 Jun 2026 11:00:00 GMT'),
    'is 60 minutes ahead of that of AWS',
  );
  for (const date of ['Mon, 01 Jun 2026 12:01:00 GMT', '', 'soon'])
    assert.match(message('InvalidSignatureException', date), "AWS doesn't take the keys in Secret shop/key");
  assert.not.match(message('AccessDeniedException', 'Mon, 01 Jun 2026 12:10:00 GMT'), 'minutes');
});

test('a CA of another account names both accounts, and what that account must do', () => {
  const said = (account: string, ofCa = '111122223333') =>
    troubleOf(
      {
        name: 'AccessDeniedException',
        message: `User: arn:aws:sts::${account}:assumed-role/certwheel/1 is not authorized to perform: acm-pca:IssueCertificate on resource: arn:aws:acm-pca:eu-west-2:${ofCa}:certificate-authority/1 because no resource-based policy allows the acm-pca:IssueCertificate action`,
      },
      answer(''),
      CIRCUMSTANCES,
    ).message;
  assert.match(
    said('444455556666'),
    /they are of account 444455556666 and the CA is of account 111122223333, which must/,
  );
  assert.match(said('111122223333'), /may not do this; see the policy of docs/);
});

test('an endpoint of another region is no trouble of the keys', () => {
  for (const message of [
    "Credential should be scoped to a valid region, not 'eu-west-1'. ",
    'Credential should be scoped to 20260601/eu-central-1/acm-pca/aws4_request',
  ]) {
    const error = troubleOf({ name: 'InvalidSignatureException', message }, answer(''), CIRCUMSTANCES);
    assert.is(error.code, 'AuthorityMisconfigured');
    assert.match(error.message, 'the endpoint is not that of the region in spec.awsPrivateCA.arn');
  }
});

test('a CA that is not there is looked for in the region of its ARN', () => {
  const message = 'Could not find Certificate Authority arn:aws:acm-pca:eu-west-2:111122223333:certificate-authority/1';
  assert.match(
    troubleOf({ name: 'ResourceNotFoundException', message }, answer(''), CIRCUMSTANCES).message,
    'aws acm-pca list-certificate-authorities --region eu-west-2: ',
  );
});

test('only what the keys themselves were refused for is worth others', () => {
  for (const name of ['ExpiredTokenException', 'UnrecognizedClientException'])
    assert.ok(isAboutKeys({ name, message: '' }));
  for (const name of ['AccessDeniedException', 'ThrottlingException'])
    assert.not.ok(isAboutKeys({ name, message: '' }));
});

test.run();
