import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../test/unit/cpu.ts';
import { tlv } from './asn1/write.ts';
import {
  canonicalName,
  canonicalNames,
  decodeNames,
  encodeNames,
  type Names,
  NO_NAMES,
  namesProblem,
  sameNames,
} from './san.ts';

const ip = (text: string) => canonicalName('ipAddresses', text);
const encoded = (names: Partial<Names>) => encodeNames({ ...NO_NAMES, ...names }) ?? Buffer.alloc(0);

test('each kind has its tag', () => {
  const names = { dnsNames: ['a.b'], emailAddresses: ['x@y'], uris: ['u:z'], ipAddresses: ['1.2.3.4', '::1'] };
  assert.is(
    encoded(names).toString('hex'),
    '3027 8203612e62 8103784079 8603753a7a 870401020304 871000000000000000000000000000000001'.replaceAll(' ', ''),
  );
  assert.equal(decodeNames(encoded(names)), { names, foreign: [] });
});

test('no names are no extension, and no empty sequence', () => {
  assert.is(encodeNames(NO_NAMES), undefined);
});

test('duplicates are written once, whatever their spelling', () => {
  const { names } = decodeNames(encoded({ dnsNames: ['a.b', 'A.b', 'c'], ipAddresses: ['::1', '0:0::1'] }));
  assert.equal(names.dnsNames, ['A.b', 'c']);
  assert.equal(names.ipAddresses, ['::1']);
});

test('addresses are compared by their bytes and written as RFC 5952 has it', () => {
  const cases: [string, string][] = [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::', '2001:db8::'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
  ];
  for (const [given, wanted] of cases) assert.is(ip(given), wanted);
});

test('any address survives', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const { names } = decodeNames(encoded({ ipAddresses: [address] }));
      assert.equal(names.ipAddresses, [ip(address)]);
      assert.is(ip(ip(address)), ip(address));
    }),
  );
});

test('any names survive', () => {
  const list = <T>(one: fc.Arbitrary<T>) => fc.uniqueArray(one, { maxLength: 4 });
  const email = fc
    .tuple(fc.stringMatching(/^[a-z0-9.+-]{1,20}$/), fc.domain())
    .map(([local, host]) => `${local}@${host}`);
  const names = fc.record({
    dnsNames: list(fc.domain()),
    uris: list(fc.webUrl()),
    emailAddresses: list(email),
    ipAddresses: fc.constant([]),
  });
  fc.assert(
    fc.property(names, (given) => {
      if (namesProblem(given) !== undefined || encodeNames(given) === undefined) return;
      assert.is(canonicalNames(decodeNames(encoded(given)).names), canonicalNames(given));
    }),
  );
});

test('what a certificate cannot carry is refused with the name of the field', () => {
  const cases: [Partial<Names>, RegExp][] = [
    [{ dnsNames: [''] }, /dnsNames holds ""/],
    [{ dnsNames: ['.a'] }, /no DNS name/],
    [{ dnsNames: ['a..b'] }, /no DNS name/],
    [{ dnsNames: ['a b'] }, /no DNS name/],
    [{ dnsNames: ['a\nb'] }, /no DNS name/],
    [{ dnsNames: ['a\0.b'] }, /no DNS name/],
    [{ dnsNames: ['-a.b'] }, /no DNS name/],
    [{ dnsNames: ['a.*.b'] }, /no DNS name/],
    [{ dnsNames: [`${'a'.repeat(64)}.b`] }, /no DNS name/],
    [{ dnsNames: [`${'a.'.repeat(127)}b`] }, /no DNS name/],
    [{ dnsNames: ['bücher.example'] }, /write "xn--bcher-kva.example"/],
    [{ uris: ['relative/path'] }, /uris holds/],
    [{ uris: ['spiffe://td/ü'] }, /uris holds/],
    [{ uris: ['spiffe://td/a b'] }, /uris holds/],
    [{ uris: [`a:${'b'.repeat(3000)}`] }, /over 2048/],
    [{ uris: ['http://['] }, /^uris holds "http:\/\/\[", which is no URI as RFC 3986 has it$/],
    [
      { uris: ['spiffe://a..b/x'] },
      /^uris holds "spiffe:\/\/a\.\.b\/x", which has the host a\.\.b, which is no domain$/,
    ],
    [{ uris: ['http://[fe80::1%eth0]/'] }, /no IPv6 address/],
    [{ emailAddresses: ['a'] }, /emailAddresses holds/],
    [{ emailAddresses: ['.a@b'] }, /emailAddresses holds/],
    [{ emailAddresses: ['a.@b'] }, /emailAddresses holds/],
    [{ emailAddresses: ['a..b@c'] }, /emailAddresses holds/],
    [{ emailAddresses: ['a@b@c'] }, /emailAddresses holds/],
    [{ emailAddresses: ['Name <a@b>'] }, /emailAddresses holds/],
    [{ emailAddresses: ['ü@b'] }, /emailAddresses holds/],
    [{ emailAddresses: ['a@*.b'] }, /emailAddresses holds/],
    [{ ipAddresses: ['1.2.3'] }, /ipAddresses holds/],
    [{ ipAddresses: ['1.2.3.04'] }, /ipAddresses holds/],
    [{ ipAddresses: ['fe80::1%eth0'] }, /ipAddresses holds/],
    [{ ipAddresses: ['10.0.0.0/8'] }, /ipAddresses holds/],
  ];
  for (const [names, message] of cases) {
    assert.match(namesProblem({ ...NO_NAMES, ...names }) ?? '', message);
    assert.throws(() => encoded(names), message);
  }
});

test('wildcards, underscores and single labels are names', () => {
  assert.is(namesProblem({ ...NO_NAMES, dnsNames: ['*.a.b', '_x.a', 'localhost'] }), undefined);
  assert.is(namesProblem({ ...NO_NAMES, emailAddresses: ['a.b@c.d'] }), undefined);
});

test('no text makes the checks slow', () => {
  for (const unit of ['a', '.', '@', 'a.', 'a@', '-', '::', '0:']) {
    const text = unit.repeat(500_000);
    const ms = cpuMs(() =>
      namesProblem({ dnsNames: [text], uris: [text], emailAddresses: [text], ipAddresses: [text] }),
    );
    assert.ok(ms < 50, `${ms} ms`);
  }
});

test('kinds that Names has no place for are listed as foreign', () => {
  const der = tlv(
    0x30,
    tlv(0xa0, Buffer.of(6, 1, 0x2a, 0xa0, 2, 5, 0)),
    tlv(0xa4, Buffer.of(0x30, 0)),
    tlv(0x88, Buffer.of(0x2a)),
  );
  assert.equal(decodeNames(der).foreign, ['otherName', 'directoryName', 'registeredID']);
});

test('malformed names are refused', () => {
  for (const hex of ['', '3100', '30038201', '30038201ff', '30058703010203', '3003870101'])
    assert.throws(() => decodeNames(Buffer.from(hex, 'hex')));
});

test('equality ignores order, repetition and the spelling that does not count', () => {
  assert.ok(sameNames('dnsNames', ['A.b', 'c'], ['c', 'a.B', 'c']));
  assert.not.ok(sameNames('dnsNames', ['a'], ['a', 'b']));
  assert.not.ok(sameNames('dnsNames', ['a', 'b'], ['a', 'c']));
  assert.ok(sameNames('emailAddresses', ['x@A.b'], ['x@a.B']));
  assert.not.ok(sameNames('emailAddresses', ['X@a'], ['x@a']));
  assert.not.ok(sameNames('uris', ['spiffe://td/A'], ['spiffe://td/a']));
  assert.is(
    canonicalNames({ ...NO_NAMES, dnsNames: ['b', 'a'] }),
    canonicalNames({ ...NO_NAMES, dnsNames: ['A', 'b', 'a'] }),
  );
});

test.run();
