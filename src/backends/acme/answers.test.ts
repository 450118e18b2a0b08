/** What is read of answers: hostile shapes, problems, links, tickets. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../../test/unit/cpu.ts';
import type { CertwheelError } from '../../errors.ts';
import { generateKey } from '../../pki/keys.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { alternatesIn } from './chain.ts';
import { ownUrl, readDirectory } from './directory.ts';
import { accountKey } from './jws.ts';
import { readAuthorization, readOrder, sameIdentifiers } from './order.ts';
import { problemOf, refusal, words } from './problem.ts';
import { orderOf, ticketOf } from './ticket.ts';

const SERVER = 'https://ca.example/directory';
const URN = 'urn:ietf:params:acme:error:';

function answer(status: number, body: unknown, retryAfterMs?: number): HttpAnswer {
  return { status, headers: {}, all: () => [], bytes: Buffer.from(JSON.stringify(body)), retryAfterMs };
}

const SHAPES: readonly unknown[] = [undefined, null, 1, 'text', [], {}, { status: 'valid' }, { identifiers: {} }];

test('whatever is no directory, order or authorization is refused with an InvalidAnswer or as another kind of server', () => {
  for (const shape of SHAPES) {
    assert.throws(() => readDirectory(shape, SERVER), 'is not the directory of an ACME server');
    assert.throws(() => readOrder(shape, SERVER), 'something else than an order');
    assert.throws(() => readAuthorization(shape, SERVER), 'something else than an authorization');
  }
  const many = Array.from({ length: 101 }, () => ({ type: 'dns', value: 'a.example' }));
  assert.throws(
    () => readOrder({ status: 'ready', identifiers: many, authorizations: [] }, SERVER),
    'more than 100 names',
  );
});

test('a URL belongs to the server if scheme, host and port are the same', () => {
  for (const good of ['https://ca.example/x', 'https://ca.example:443/x?y=1', 'https://CA.example/x'])
    assert.is(ownUrl(good, SERVER, 'it'), new URL(good).href);
  for (const bad of [
    'http://ca.example/x',
    'https://ca.example:8443/x',
    'https://ca.example.evil/x',
    'https://evil@ca.example/x',
    'https://ca.example@evil/x',
    '//ca.example/x',
    '/x',
    '',
    7,
    undefined,
    `https://ca.example/${'x'.repeat(2_048)}`,
  ])
    assert.throws(() => ownUrl(bad, SERVER, 'it'), 'which is not asked', String(bad));
});

test('each problem has a class that says what happens next', () => {
  const codes = (status: number, type: string) => {
    const error = refusal(answer(status, { type: `${URN}${type}`, detail: 'why' }, 5_000), 'ca', 'the order');
    return `${error.name} ${error.code}`;
  };
  assert.is(codes(429, 'rateLimited'), 'AuthorityError AuthorityBusy');
  assert.is(codes(400, 'rejectedIdentifier'), 'DeniedError RequestDenied');
  assert.is(codes(403, 'badCSR'), 'DeniedError RequestDenied');
  assert.is(codes(403, 'unauthorized'), 'AuthorityError CredentialsRefused');
  assert.is(codes(401, 'unauthorized'), 'AuthorityError CredentialsRefused');
  assert.is(codes(400, 'externalAccountRequired'), 'AuthorityError CredentialsNotFound');
  assert.is(codes(400, 'invalidProfile'), 'AuthorityError AuthorityMisconfigured');
  assert.is(codes(400, 'invalidContact'), 'AuthorityError AuthorityMisconfigured');
  assert.is(codes(403, 'userActionRequired'), 'AuthorityError AuthorityMisconfigured');
  assert.is(codes(500, 'serverInternal'), 'AuthorityError AuthorityUnavailable');
  const isUnproven = (body: object) => (refusal(answer(502, body), 'ca', 'it') as CertwheelError).unproven;
  assert.equal([isUnproven({}), isUnproven({ type: `${URN}serverInternal` })], [true, false]);
  assert.is(codes(400, 'malformed'), 'RetryableError RequestFailed');
  assert.is(codes(404, ''), 'RetryableError RequestFailed');
  assert.is((refusal(answer(429, {}, 5_000), 'ca', 'it') as CertwheelError).retryAfterMs, 5_000);
});

test('the text of a problem is bounded and names its subproblems, whatever the document holds', () => {
  assert.is(words(problemOf({ type: `${URN}caa`, detail: 'no' })), 'no (caa)');
  assert.is(words(problemOf({ type: 'about:blank' })), 'no reason given');
  const subproblems = Array.from({ length: 500 }, () => ({
    detail: 'x'.repeat(500),
    identifier: { value: 'a\u202eb\n' },
  }));
  const { text } = problemOf({ type: 7, detail: {}, subproblems });
  assert.ok(text.length <= 1_024);
  assert.not.match(text, /[\p{Cc}\p{Cf}]/u);
  for (const shape of SHAPES) assert.type(words(problemOf(shape)), 'string');
});

test('a challenge whose token is no base64url is passed over, and names are compared in any order', () => {
  const challenges = ['good_-1', '../x', '', 'a b', 'x'.repeat(513)].map((token) => ({
    type: 'dns-01',
    token,
    url: 'u',
  }));
  const read = readAuthorization(
    { status: 'pending', identifier: { type: 'dns', value: 'A.example' }, challenges },
    SERVER,
  );
  assert.equal(
    read.challenges.map(({ token }) => token),
    ['good_-1'],
  );
  assert.is(read.identifier.value, 'a.example');
  const [one, two] = [
    { type: 'dns', value: 'a' },
    { type: 'ip', value: 'a' },
  ] as const;
  assert.ok(sameIdentifiers([one, two], [two, one, one]));
  assert.not(sameIdentifiers([one], [two]));
});

test('other chains are found in one header or in several, relative or not', () => {
  const of = (...headers: string[]) => alternatesIn({ all: () => headers });
  assert.equal(of('<https://a/1>;rel="alternate"', '<https://a/2>; rel=alternate'), ['https://a/1', 'https://a/2']);
  assert.equal(of('<https://a/1>; rel="alternate", </2>;title="x, y";rel="alternate"').length, 2);
  assert.equal(of('<https://a/i>;rel="index"', 'nonsense', '<>;rel="alternates"'), []);
});

test('a header full of open links, as long as a header can be, takes less than 50 ms', () => {
  const all = () => ['<'.repeat(16_000)];
  const cost = Math.min(...Array.from({ length: 3 }, () => cpuMs(() => alternatesIn({ all }))));
  assert.ok(cost < 50, `${cost} ms`);
});

test('a ticket is for one request of one namespace and one key', async () => {
  const newKey = async () => accountKey(await generateKey({ algorithm: 'ECDSA', size: 256 }));
  const [key, other] = [await newKey(), await newKey()];
  const owner = { id: 'one', requester: { namespace: 'shop' } };
  const url = 'https://ca.example/order/1#x';
  const ticket = ticketOf(url, owner, key);
  assert.is(orderOf(ticket, owner, key), url);
  for (const [forged, whose, by] of [
    [ticket, { ...owner, id: 'two' }, key],
    [ticket, { id: 'one', requester: { namespace: 'bank' } }, key],
    [ticket, owner, other],
    [ticket.replace('order/1', 'order/2'), owner, key],
    [url, owner, key],
    ['', owner, key],
    ['#', owner, key],
  ] as const)
    assert.is(orderOf(forged, whose, by), undefined);
});

test.run();
