import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLASS, decodeMessage, encodeQuery, encodeUpdate, RCODE, TYPE, textData } from './message.ts';
import { DnsFormatError, decodeName, encodeName, isWithin, parentName } from './name.ts';

const label = fc.stringMatching(/^[-_a-z0-9]{1,63}$/);
const nameOf = fc
  .array(label, { minLength: 1, maxLength: 8 })
  .map((labels) => labels.join('.'))
  .filter((name) => name.length <= 253);

test('names survive a round trip, and lose their case and their final dot', () => {
  fc.assert(
    fc.property(nameOf, (name) => {
      const bytes = encodeName(name);
      assert.equal(decodeName(bytes, 0), { name, next: bytes.length });
      assert.equal(encodeName(`${name.toUpperCase()}.`), bytes);
    }),
  );
  assert.equal(decodeName(encodeName('.'), 0), { name: '.', next: 1 });
});

test('a byte that is no letter is written as its number, and read back', () => {
  const bytes = Buffer.from('\x03a.b\x01\\\x00', 'latin1');
  const { name } = decodeName(bytes, 0);
  assert.is(name, 'a\\046b.\\092');
  assert.equal(encodeName(name), bytes);
});

for (const [what, name] of [
  ['an empty label', 'a..b'],
  ['a label of 64 bytes', `${'a'.repeat(64)}.b`],
  ['256 bytes', Array(8).fill('a'.repeat(31)).join('.')],
] as const) {
  test(`a name with ${what} is refused`, () => assert.throws(() => encodeName(name), /is no DNS name/));
}

for (const [what, bytes] of [
  ['points at itself', 'c000'],
  ['points forwards', '0161c00400'],
  ['ends in the middle of a label', '0561'],
  ['has no end', '0161'],
  ['has a label of an unknown kind', '4161'],
] as const) {
  test(`a name that ${what} is refused`, () =>
    assert.throws(
      () => decodeName(Buffer.from(bytes, 'hex'), 0),
      (error: unknown) => error instanceof DnsFormatError,
    ));
}

test('a query and an update are read back as they were written', () => {
  const question = { name: '_acme-challenge.example.com', type: TYPE.TXT, class: CLASS.IN };
  const query = decodeMessage(encodeQuery(4711, question, true));
  assert.is(query.id, 4711);
  assert.equal(query.questions, [question]);
  const record = { ...question, ttl: 60, data: textData('value') };
  const update = decodeMessage(encodeUpdate(1, 'example.com', [record]));
  assert.is(update.opcode, 5);
  assert.equal(update.questions, [{ name: 'example.com', type: TYPE.SOA, class: CLASS.IN }]);
  assert.equal(update.authorities, [record]);
});

test('names in CNAME records may be compressed', () => {
  const question = encodeQuery(1, { name: 'a.example.com', type: TYPE.CNAME, class: CLASS.IN }, false);
  // At 12 is the name of the question, at 14 its `example.com`.
  const record = Buffer.from('c00c000500010000003c00040162c00e', 'hex');
  const answer = Buffer.concat([question, record]);
  answer.writeUInt16BE(0x8400, 2);
  answer.writeUInt16BE(1, 6);
  const { answers, isAuthoritative, rcode } = decodeMessage(answer);
  assert.is(answers[0]?.target, 'b.example.com');
  assert.is(isAuthoritative, true);
  assert.is(rcode, RCODE.NOERROR);
});

/** A TXT record whose data begins at byte 23, and so many CNAME records whose two names both point to `target`. */
function answerOf(data: Buffer, target: number): Buffer {
  const fixed = (type: number, length: number) => Buffer.from([0, type, 0, 1, 0, 0, 0, 0, length >> 8, length & 255]);
  const pointer = Buffer.from([0xc0 | (target >> 8), target & 255]);
  const alias = Buffer.concat([pointer, fixed(TYPE.CNAME, 2), pointer]);
  const count = Math.floor((65_535 - 23 - data.length) / alias.length);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x8400, 2);
  header.writeUInt16BE(1 + count, 6);
  return Buffer.concat([header, Buffer.of(0), fixed(TYPE.TXT, data.length), data, ...Array(count).fill(alias)]);
}

test('an answer whose names lead through too many pointers or labels is refused before all are read', () => {
  const begin = 23;
  const pointers = Buffer.alloc(16_001);
  for (let at = 1; at < pointers.length; at += 2) pointers.writeUInt16BE(0xc000 | (begin + Math.max(0, at - 2)), at);
  const labels = Buffer.concat([...Array(127).fill(Buffer.from('\x01a', 'latin1')), Buffer.of(0)]);
  for (const bytes of [answerOf(pointers, begin + pointers.length - 2), answerOf(labels, begin)])
    assert.throws(() => decodeMessage(bytes), /too many names/);
});

test('an answer as full of challenges as an answer can be is read', () => {
  const question = encodeQuery(
    1,
    { name: '_acme-challenge.a.b.team.example.com', type: TYPE.TXT, class: CLASS.IN },
    false,
  );
  const value = textData('x'.repeat(43));
  const record = Buffer.concat([Buffer.from('c00c001000010000003c', 'hex'), Buffer.of(0, value.length), value]);
  const count = Math.floor((65_535 - question.length) / record.length);
  const answer = Buffer.concat([question, ...Array(count).fill(record)]);
  answer.writeUInt16BE(0x8400, 2);
  answer.writeUInt16BE(count, 6);
  assert.is(decodeMessage(answer).answers.length, count);
});

test('a name never carries text that another protocol would read as a command', () => {
  for (const name of [
    'x\r\nflushall\r\n.example',
    'x\\013\\010flushall.example',
    'a b.example',
    'x\\127.example',
    'é.example',
  ])
    assert.throws(() => encodeQuery(1, { name, type: TYPE.TXT, class: CLASS.IN }, false), /no name of a record/);
});

test('whatever bytes come, they are read or refused, and nothing else', () => {
  const seed = Number(process.env.SEED) || Date.now();
  console.log(`# SEED=${seed}`);
  const header = fc.tuple(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
  );
  const messages = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(header, fc.uint8Array({ maxLength: 200 })).map(([[head, counts], rest]) => {
      const words = Buffer.from(counts.flatMap((count) => [0, count]));
      return Buffer.concat([head, words, rest]);
    }),
  );
  fc.assert(
    fc.property(messages, (bytes) => {
      try {
        decodeMessage(bytes);
      } catch (error) {
        assert.instance(error, DnsFormatError);
      }
    }),
    { seed, numRuns: 5_000 },
  );
});

test('a value of a TXT record has at most 255 bytes', () => {
  assert.is(textData('a'.repeat(255)).length, 256);
  assert.throws(() => textData('a'.repeat(256)), /at most 255 bytes/);
});

test('a zone holds itself and what is below it', () => {
  assert.ok(isWithin('example.com', 'example.com'));
  assert.ok(isWithin('a.example.com', 'example.com'));
  assert.not(isWithin('aexample.com', 'example.com'));
  assert.ok(isWithin('a', '.'));
  assert.is(parentName('a.b'), 'b');
  assert.is(parentName('b'), '.');
  assert.is(parentName('.'), undefined);
});

test.run();
