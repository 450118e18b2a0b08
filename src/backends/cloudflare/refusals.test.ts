import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthorityError, DeniedError, RetryableError } from '../../errors.ts';
import type { JsonAnswer } from '../http/json.ts';
import { meaningOf, refusalOf, refusesToken, troubleOf } from './refusals.ts';

const asked = {
  what: 'listing',
  place: 'zone the-zone',
  token: 'Secret ns/token, key token',
  server: 'https://cf.example.com',
  secrets: ['s3cr3t-token'],
};

function answer(status: number, code?: number, message = 'words', more: Partial<JsonAnswer> = {}): JsonAnswer {
  const body = { success: false, errors: code === undefined ? [] : [{ code, message }], messages: [], result: null };
  return { status, body, message: '', retryAfterMs: undefined, ...more };
}

const ROWS: readonly [what: string, JsonAnswer, code: string, says: RegExp][] = [
  [
    'an unknown token',
    answer(403, 10_000),
    'CredentialsRefused',
    /permission SSL and Certificates Write on zone the-zone/,
  ],
  ['an invalid token', answer(400, 9_109), 'CredentialsRefused', /of Secret ns\/token, key token must be valid/],
  ['what is no token', answer(400, 6_003), 'CredentialsRefused', /6003 words/],
  ['a status alone', answer(403), 'CredentialsRefused', /listing was answered 403;/],
  ['a wrong zone', answer(400, 7_003), 'AuthorityMisconfigured', /there is no zone the-zone/],
  ['too many requests', answer(429, 10_429), 'AuthorityBusy', /429: 10429 words/],
  ['an outage', answer(502), 'AuthorityUnavailable', /502/],
  ['anything else', answer(418, 1), 'AuthorityMisconfigured', /418: 1 words/],
];

for (const [what, given, code, says] of ROWS)
  test(`${what} is ${code}`, () => {
    const error = troubleOf(given, asked);
    assert.instance(error, AuthorityError);
    assert.is(error.code, code);
    assert.match(error.message, says);
  });

test('a refused CSR denies one certificate, and a refused token or quota stops all', () => {
  const denied = refusalOf(answer(400, 1_404, 'bad CSR'), asked);
  assert.instance(denied, DeniedError);
  assert.match(denied.message, 'listing was refused: 1404 bad CSR');
  assert.instance(refusalOf(answer(400, 9_109), asked), AuthorityError);
  assert.instance(refusalOf(answer(429), asked), AuthorityError);
  assert.is(meaningOf(answer(400, 1_445)), 'quota');
  assert.is(meaningOf(answer(400, 1_489)), 'quotaOfCAs');
});

test("a failure of Cloudflare's that comes as 400 is tried again", () => {
  for (const [code, message] of [
    [1_100, 'Failed to write certificate to Database'],
    [1_201, 'CA signing failure. Could not parse returned certificate'],
  ] as const) {
    const error = refusalOf(answer(400, code, message), asked);
    assert.instance(error, RetryableError);
    assert.is(error.code, 'RequestFailed');
  }
});

test('the explanation behind an error counts, and no message repeats a token', () => {
  const chain = { errors: [{ code: 1, message: 'x', error_chain: [{ code: 9_109, message: 'is s3cr3t-token' }] }] };
  const given = answer(400, undefined, '', { body: chain });
  assert.ok(refusesToken(given));
  assert.not.match(troubleOf(given, asked).message, 's3cr3t');
  for (const body of [undefined, null, 7, { errors: 'none' }, { errors: [7, null, { code: '1' }] }])
    assert.is(meaningOf({ body }), undefined);
});

test('Retry-After is passed on', () =>
  assert.is(troubleOf(answer(429, undefined, '', { retryAfterMs: 7_000 }), asked).retryAfterMs, 7_000));

test.run();
