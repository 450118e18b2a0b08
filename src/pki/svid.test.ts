import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { svidProblems } from './svid.ts';

const ID = 'spiffe://example.com/ns/shop/sa/web';
const BOTH = ['digital signature', 'client auth', 'server auth'];

test('a certificate without a SPIFFE ID is measured by no rule of SPIFFE', () => {
  assert.equal(svidProblems({ uris: [] }, ['client auth']), []);
  assert.equal(svidProblems({ uris: ['https://example.com/spiffe://x', 'urn:x:y'] }, ['client auth']), []);
});

test('one SPIFFE ID with the usages of both sides is an SVID', () =>
  assert.equal(svidProblems({ uris: [ID] }, BOTH), []));

for (const [what, uris, usages, message] of [
  ['two SPIFFE IDs', [ID, `${ID}2`], BOTH, /it has 2 URIs/],
  ['another URI beside the SPIFFE ID', ['https://example.com/', ID], BOTH, /it has 2 URIs/],
  ['no path', ['spiffe://example.com'], BOTH, /no SPIFFE ID of a workload/],
  ['the root path', ['spiffe://example.com/'], BOTH, /no SPIFFE ID of a workload/],
  ['an empty segment', ['spiffe://example.com/a//b'], BOTH, /no SPIFFE ID/],
  ['a slash at the end', ['spiffe://example.com/a/'], BOTH, /no SPIFFE ID/],
  ['a dot segment', ['spiffe://example.com/a/../b'], BOTH, /no SPIFFE ID/],
  ['a dot segment at the end', ['spiffe://example.com/a/.'], BOTH, /no SPIFFE ID/],
  ['a port', ['spiffe://example.com:8080/a'], BOTH, /no SPIFFE ID/],
  ['a user', ['spiffe://me@example.com/a'], BOTH, /no SPIFFE ID/],
  ['a query', ['spiffe://example.com/a?b'], BOTH, /no SPIFFE ID/],
  ['a fragment', ['spiffe://example.com/a#b'], BOTH, /no SPIFFE ID/],
  ['an escape', ['spiffe://example.com/a%20b'], BOTH, /no SPIFFE ID/],
  ['an upper-case trust domain', ['spiffe://Example.com/a'], BOTH, /no SPIFFE ID/],
  ['an upper-case scheme', ['SPIFFE://example.com/a'], BOTH, /no SPIFFE ID/],
  ['one slash', ['spiffe:/example.com/a'], BOTH, /no SPIFFE ID/],
  ['no slashes', ['spiffe:example.com/a'], BOTH, /no SPIFFE ID/],
  ['a long trust domain', [`spiffe://${'a'.repeat(256)}/a`], BOTH, /no SPIFFE ID/],
  ['a long ID', [`spiffe://a/${'a'.repeat(2_038)}`], BOTH, /has 2049 characters, and 2048 are the most/],
  ['no digital signature', [ID], ['client auth', 'server auth'], /add "digital signature"/],
  ['no server auth', [ID], ['digital signature', 'client auth'], /add "server auth"/],
] as const)
  test(`${what} is no SVID, and the reason says what to do`, () => {
    const problems = svidProblems({ uris }, usages);
    assert.is(problems.length, 1, String(problems));
    assert.match(problems[0] ?? '', message);
  });

for (const id of [
  `spiffe://a/${'a'.repeat(2_037)}`,
  `spiffe://${'a'.repeat(255)}/a`,
  'spiffe://a_b.c-d/...',
  'spiffe://a/.b',
])
  test(`${id.slice(0, 40)} is a SPIFFE ID`, () => assert.equal(svidProblems({ uris: [id] }, BOTH), []));

test('a long URI leaves room for the other problems', () => {
  const problems = svidProblems({ uris: [`spiffe://a//${'a'.repeat(2_000)}`, ID] }, ['client auth']);
  assert.is(problems.length, 4);
  assert.ok(problems.join('; ').length < 1_000);
});

test('each problem is named', () => assert.is(svidProblems({ uris: [`${ID}/`, ID] }, ['client auth']).length, 4));

test.run();
