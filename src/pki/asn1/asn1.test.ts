import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../../test/unit/cpu.ts';
import * as read from './read.ts';
import * as der from './write.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const element = (text: string, tag: number) => read.readElement(Buffer.from(text, 'hex'), tag, 'value');

test('lengths take the shortest form', () => {
  const start = (length: number) => hex(der.octetString(Buffer.alloc(length)).subarray(0, 5));
  assert.is(hex(der.octetString(Buffer.alloc(0))), '0400');
  assert.is(start(127), '047f000000');
  assert.is(start(128), '0481800000');
  assert.is(start(255), '0481ff0000');
  assert.is(start(256), '0482010000');
  assert.is(start(65535), '0482ffff00');
  assert.is(start(65536), '0483010000');
});

test('integers are minimal and never negative', () => {
  assert.is(hex(der.integer(0)), '020100');
  assert.is(hex(der.integer(127)), '02017f');
  assert.is(hex(der.integer(128)), '02020080');
  assert.is(hex(der.integer(65537)), '0203010001');
  assert.is(hex(der.integer(Buffer.from('0000ff00', 'hex'))), '020300ff00');
  assert.throws(() => der.integer(-1));
  assert.throws(() => der.integer(1.5));
  assert.throws(() => der.integer(Buffer.alloc(0)));
});

test('named bits lose their trailing zeros', () => {
  assert.is(hex(der.namedBits([0])), '03020780');
  assert.is(hex(der.namedBits([5, 6])), '03020106');
  assert.is(hex(der.namedBits([8])), '0303070080');
  assert.is(hex(der.namedBits([])), '030100');
});

test('named bits survive a round trip', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(15), { minLength: 1 }), (bits) => {
      const sorted = [...bits].sort((a, b) => a - b);
      assert.equal(
        read.readNamedBits(read.readElement(der.namedBits(bits), der.TAG.bitString, 'bits'), 'bits'),
        sorted,
      );
    }),
  );
});

test('object identifiers are written as X.690 has it and survive a round trip', () => {
  assert.is(hex(der.oid('1.2.840.113549')), '06062a864886f70d');
  assert.is(hex(der.oid('2.999.3')), '0603883703');
  assert.throws(() => der.oid('1'));
  assert.throws(() => der.oid('1.x'));
  const arcs = fc
    .tuple(fc.nat(2), fc.nat(39), fc.array(fc.nat(2 ** 31), { maxLength: 8 }))
    .map(([a, b, rest]) => [a, b, ...rest].join('.'));
  fc.assert(
    fc.property(arcs, (dotted) =>
      assert.is(read.readOid(read.readElement(der.oid(dotted), der.TAG.oid, 'oid'), 'oid'), dotted),
    ),
  );
});

test('a set is sorted by encoding', () => {
  assert.is(hex(der.set(der.integer(2), der.integer(1))), '3106020101020102');
});

test('times are UTCTime through 2049 and GeneralizedTime from 2050, in whole seconds', () => {
  const text = (iso: string) => der.time(new Date(iso)).subarray(2).toString();
  assert.is(text('2049-12-31T23:59:59.999Z'), '491231235959Z');
  assert.is(text('2050-01-01T00:00:00Z'), '20500101000000Z');
  assert.is(text('9999-12-31T23:59:59Z'), '99991231235959Z');
  assert.is(text('1950-01-01T00:00:00Z'), '500101000000Z');
  assert.is(text('1949-12-31T23:59:59Z'), '19491231235959Z');
  assert.throws(() => der.time(new Date(Number.NaN)));
  assert.throws(() => der.time(new Date('+010000-01-01T00:00:00Z')));
});

test('times survive a round trip to the second', () => {
  const years = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(years, (date) => {
      const [time] = read.children(read.readElement(der.sequence(der.time(date)), der.TAG.sequence, 'list'));
      assert.is(read.readTime(time, 'time').getTime(), Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
});

test('no other spelling of a time is read', () => {
  const utc = (text: string) => () =>
    read.readTime({ tag: der.TAG.utcTime, bytes: Buffer.alloc(0), content: Buffer.from(text) }, 'time');
  const general = (text: string) => () =>
    read.readTime({ tag: der.TAG.generalizedTime, bytes: Buffer.alloc(0), content: Buffer.from(text) }, 'time');
  for (const text of [
    '260101000000',
    '2601010000Z',
    '260101000000+0000',
    '261301000000Z',
    '260231000000Z',
    '260101240000Z',
    '260101006000Z',
    '',
  ]) {
    assert.throws(utc(text), /time is/);
  }
  for (const text of ['20500101000000.5Z', '20500101000000', '20500101000000+0100', '20490631000000Z'])
    assert.throws(general(text), /time is/);
});

test('strings refuse what they cannot hold', () => {
  assert.throws(() => der.utf8String('\ud800'));
  assert.throws(() => der.printableString('a@b'));
  assert.throws(() => der.printableString('ü'));
  assert.throws(() => der.ia5String('ü'));
  assert.throws(() => der.bmpString('\u{1f600}'));
  assert.throws(() => der.bmpString('\udc00'));
  assert.is(hex(der.utf8String('ü')), '0c02c3bc');
  assert.is(hex(der.bmpString('aü\u4e16')), '1e06006100fc4e16');
});

test('all string types are read', () => {
  const text = (bytes: string) => read.readText(element(bytes, Number.parseInt(bytes.slice(0, 2), 16)));
  assert.is(text('0c02c3bc'), 'ü');
  assert.is(text('130161'), 'a');
  assert.is(text('160161'), 'a');
  assert.is(text('1401fc'), 'ü');
  assert.is(text('1e0400fc0061'), 'üa');
  assert.is(text('1c040001f600'), '\u{1f600}');
  for (const broken of ['0c01ff', '1301ff', '1e0100', '1c0400110000', '1b0161', '0c02c0af'])
    assert.throws(() => text(broken));
});

test('anything but DER is refused', () => {
  const cases: [string, RegExp][] = [
    ['', /cut short/],
    ['30', /cut short/],
    ['3005', /cut short/],
    ['30800000', /indefinite/],
    ['3081', /cut short/],
    ['308105', /padded/],
    ['3081050000000000', /padded/],
    ['30820080', /padded/],
    ['3083000100', /padded/],
    ['3084ffffffff', /over/],
    ['30887fffffffffffffff', /over/],
    ['30ff', /over/],
    ['3f8101', /long tag/],
    ['300000', /bytes after/],
    ['3100', /wrong type/],
  ];
  for (const [text, message] of cases) assert.throws(() => element(text, der.TAG.sequence), message);
});

test('integers and booleans that are not DER are refused', () => {
  for (const text of ['0200', '0201ff', '0205000000000f', '02020001'])
    assert.throws(() => read.readSmallInteger(element(text, der.TAG.integer), 'n'));
  for (const text of ['0100', '010101', '01020000'])
    assert.throws(() => read.readBoolean(element(text, der.TAG.boolean)));
});

test('object identifiers that are not DER or endless are refused at once', () => {
  const huge = hex(der.tlv(der.TAG.oid, Buffer.alloc(254_000, 0x81)));
  for (const text of ['0600', '060181', '0603808001', huge]) {
    const ms = cpuMs(() => assert.throws(() => read.readOid(element(text, der.TAG.oid), 'oid')));
    assert.ok(ms < 100, `${ms} ms`);
  }
});

test('the children of a primitive value and lists without end are refused', () => {
  assert.throws(() => read.children(element('0401ff', der.TAG.octetString)), /primitive/);
  assert.throws(
    () => read.children(read.readElement(der.sequence(Buffer.alloc(30_000)), der.TAG.sequence, 'list')),
    /more than/,
  );
});

test.run();
