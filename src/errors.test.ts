import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ApiError,
  AuthorityError,
  CertwheelError,
  classify,
  DeniedError,
  ERROR_CODES,
  RetryableError,
  TerminalError,
  UnexpectedError,
} from './errors.ts';

test('an error of ours stays what it is', () => {
  for (const error of [
    new RetryableError('Conflict', 'm'),
    new AuthorityError('CAExpired', 'm'),
    new DeniedError('DeniedByPolicy', 'm'),
    new TerminalError('InvalidSpec', 'm'),
    new UnexpectedError('Unexpected', 'm'),
  ])
    assert.is(classify(error), error);
});

const ANSWERS: Record<string, [status: number, message: string, code: string]> = {
  'no answer at all': [0, 'socket hang up', 'ApiServerUnavailable'],
  'a request that makes no sense': [400, 'bad', 'SecretRefused'],
  'a token that is not taken': [401, 'Unauthorized', 'ApiServerUnavailable'],
  'a role that is missing': [403, 'secrets is forbidden: User "x" cannot patch resource "secrets"', 'Forbidden'],
  'a quota that is used up': [403, 'secrets "a" is forbidden: exceeded quota: q', 'SecretRefused'],
  'a policy that speaks of what cannot be': [403, 'secrets "a" is forbidden: you cannot do that here', 'SecretRefused'],
  'an object that is gone': [404, 'not found', 'Conflict'],
  'a lost race': [409, 'the object has been modified', 'Conflict'],
  'an object that is too large': [413, 'too large', 'SecretRefused'],
  'an object that is invalid': [422, 'Invalid value', 'SecretRefused'],
  'too many requests': [429, 'slow down', 'TooManyRequests'],
  'a server that is broken': [500, 'oops', 'ApiServerUnavailable'],
  'an admission webhook that is away': [500, 'Internal error occurred: failed calling webhook "w"', 'SecretRefused'],
  'an object that etcd has no room for': [500, 'etcdserver: request is too large', 'SecretRefused'],
  'an object that etcd is not even sent': [
    500,
    'rpc error: code = ResourceExhausted desc = trying to send message larger than max (3145710 vs. 2097152)',
    'SecretRefused',
  ],
  'a server that is away': [503, 'later', 'ApiServerUnavailable'],
};

for (const [sentence, [status, message, code]] of Object.entries(ANSWERS)) {
  test(`${sentence} is ${code}, and tried again`, () => {
    const error = new ApiError(status, 'Reason', message, { retryAfterMs: 7 });
    const classified = classify(error);
    assert.instance(classified, RetryableError);
    assert.equal(
      [classified.code, classified.message, classified.retryAfterMs, classified.cause],
      [code, message, 7, error],
    );
  });
}

test('a refusal is named after the object that the request was about', () => {
  for (const [status, message] of [
    [403, 'exceeded quota: q'],
    [400, 'bad'],
    [413, 'too large'],
    [422, 'Invalid value'],
    [500, 'failed calling webhook "w"'],
    [500, 'etcdserver: request is too large'],
  ] as const)
    for (const [resource, code] of [
      ['secrets', 'SecretRefused'],
      ['clientcertificates', 'ObjectRefused'],
      ['certificatesigningrequests', 'ObjectRefused'],
    ])
      assert.is(classify(new ApiError(status, 'Reason', message, { resource })).code, code, `${status} of ${resource}`);
});

test('anything else is a bug of ours, with what was thrown as its cause', () => {
  const bug = new TypeError('x is undefined');
  const classified = classify(bug);
  assert.instance(classified, UnexpectedError);
  assert.equal([classified.code, classified.message, classified.cause], ['Unexpected', 'x is undefined', bug]);
});

const UNTEXTUAL: Record<string, unknown> = {
  nothing: undefined,
  'a symbol': Symbol('x'),
  'an object without a prototype': Object.create(null),
  'an object whose text throws': {
    toString() {
      throw new Error('no');
    },
  },
};

for (const [sentence, thrown] of Object.entries(UNTEXTUAL)) {
  test(`${sentence} can be thrown and classified`, () => assert.is(classify(thrown).code, 'Unexpected'));
}

test('whatever is thrown, it can be classified', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withObjectString: true }), (thrown) => {
      const classified = classify(thrown);
      assert.instance(classified, CertwheelError);
      assert.type(classified.message, 'string');
    }),
    { numRuns: 1000 },
  );
});

test('every code can be the reason of a condition', () => {
  for (const code of ERROR_CODES) assert.match(code, /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
  assert.is(new Set(ERROR_CODES).size, ERROR_CODES.length);
});

test('an error is named by its class', () => {
  assert.is(new AuthorityError('CAExpired', 'm').name, 'AuthorityError');
  assert.is(String(new DeniedError('DeniedByPolicy', 'm')), 'DeniedError: m');
});

test.run();
