import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answerFor, parseAccount, type ResponderAccount } from './responder-accounts.ts';

const account = (letter: string, since: string, ...selectors: ResponderAccount['selectors']): ResponderAccount => ({
  thumbprint: letter.repeat(43),
  since,
  selectors,
});

const A = account('a', '2026-01-02T00:00:00Z', {});
const B = account('b', '2026-01-03T00:00:00Z', { dnsZones: ['example.com'] });
const C = account('c', '2026-01-01T00:00:00Z', { dnsNames: ['www.example.com'] }, { dnsZones: ['example.org'] });
const ALL = [A, B, C];
const TOKEN = 'abc_DEF-123';

for (const [host, letter] of [
  ['www.example.com', 'c'],
  ['WWW.example.com:80', 'c'],
  ['example.com', 'b'],
  ['x.example.org', 'c'],
  ['example.net', 'a'],
  ['192.0.2.7', 'a'],
  ['[2001:db8::7]:80', 'a'],
  [undefined, 'a'],
] as const) {
  test(`${host}: the account with the most specific selector answers`, () =>
    assert.is(answerFor(host, TOKEN, ALL), `${TOKEN}.${letter?.repeat(43)}`));
}

test('of two accounts for one name the older one answers, in whatever order they are read', () => {
  const later = account('d', '2026-06-01T00:00:00Z', {});
  for (const accounts of [
    [A, later],
    [later, A],
  ])
    assert.is(answerFor('example.net', TOKEN, accounts), `${TOKEN}.${'a'.repeat(43)}`);
});

test('a host that no account is for is not answered', () => {
  assert.is(answerFor('example.net', TOKEN, [B, C]), undefined);
  assert.is(answerFor('example.net', TOKEN, []), undefined);
});

for (const token of ['', 'a/b', 'a.b', '../x', 'a?b', 'a%20b', 'a b', 'ä', '<script>', 'a'.repeat(129), 'a\n'])
  test(`${JSON.stringify(token.slice(0, 12))} is no token`, () =>
    assert.is(answerFor('example.net', token, ALL), undefined));

test('an entry of the ConfigMap is read back', () => {
  for (const each of ALL) assert.equal(parseAccount(JSON.stringify(each)), each);
});

for (const text of [
  '',
  'null',
  '[]',
  '{}',
  JSON.stringify({ ...A, thumbprint: 'short' }),
  JSON.stringify({ ...A, thumbprint: `${'a'.repeat(42)}\n` }),
  JSON.stringify({ ...A, since: 1 }),
  JSON.stringify({ ...A, selectors: {} }),
  JSON.stringify({ ...A, selectors: [{ dnsNames: 'x' }] }),
  JSON.stringify({ ...A, selectors: [{ dnsZones: [1] }] }),
  JSON.stringify({ ...A, selectors: [null] }),
])
  test(`${text.slice(0, 60)} is no entry`, () => assert.is(parseAccount(text), undefined));

test.run();
