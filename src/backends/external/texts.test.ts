import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { handInCommand, waitingText } from './texts.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const DAY = 86_400_000;
const PLACE = { namespace: 'shop', name: 'alice-csr', digest: 'ab'.repeat(32), instructions: undefined, unread: [] };
/** Status keeps no more of a message. */
const LONGEST_MESSAGE = 1_024;

const ENDS: Readonly<Record<string, readonly [leftMs: number, begin: string]>> = {
  'forty days': [40 * DAY + 1, 'the present certificate ends in 40 days, at 2026-02-10T00:00:00Z: '],
  'a day and a half': [1.5 * DAY, 'the present certificate ends in 1 day, at 2026-01-02T12:00:00Z: '],
  'an hour': [DAY / 24, 'the present certificate ends in less than a day, at 2026-01-01T01:00:00Z: '],
  nothing: [0, 'the present certificate ended at 2026-01-01T00:00:00Z: '],
};

for (const [left, [leftMs, begin]] of Object.entries(ENDS))
  test(`where ${left} is left of the present certificate, the message begins with it`, () => {
    const text = waitingText({ ...PLACE, ends: new Date(NOW.getTime() + leftMs) }, NOW);
    assert.ok(text.startsWith(`${begin}ConfigMap shop/alice-csr holds a CSR to be signed; fetch it`), text);
  });

test('the message of a first request begins with what is to be done', () => {
  const text = waitingText({ ...PLACE, instructions: 'mail it', ends: undefined }, NOW);
  assert.ok(text.startsWith('ConfigMap shop/alice-csr holds a CSR to be signed: mail it; fetch it'), text);
});

test('the message stays the same within a day, so that status is written once a day', () => {
  const at = (hours: number) =>
    waitingText({ ...PLACE, ends: new Date(NOW.getTime() + 10 * DAY) }, new Date(NOW.getTime() + hours * 3_600_000));
  assert.is(at(1), at(23));
  assert.is.not(at(23), at(25));
});

test('keys that nothing reads are named', () => {
  const text = waitingText({ ...PLACE, unread: ['signed.pem', 'x'], ends: undefined }, NOW);
  assert.match(
    text,
    'to be signed (its key signed.pem and 1 more is not read; the chain belongs under tls.crt); fetch',
  );
});

test('the longest names and instructions leave the last command whole', () => {
  const longest = { ...PLACE, namespace: 'n'.repeat(63), name: `${'c'.repeat(63)}-csr`, instructions: 'i'.repeat(200) };
  const text = waitingText({ ...longest, ends: new Date(NOW.getTime() + 400 * DAY) }, NOW);
  assert.ok(text.length <= LONGEST_MESSAGE, `${text.length}`);
  assert.ok(text.endsWith(handInCommand(longest)));
});

test.run();
