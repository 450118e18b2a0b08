import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, leaf, NOW, root, serial } from '../../test/pki/make.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import { bitString, explicit, integer, octetString, oid, sequence, TAG, time, tlv } from './asn1/write.ts';
import { parseCertificate, parseCertificates, verifySignature } from './certificate.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS, subjectKeyIdExtension } from './extensions.ts';
import { publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { toPem } from './pem.ts';

const ca = await root();
const client = await leaf(ca);

const EMPTY = {
  issuerDer: encodeName({ commonName: 'i' }),
  subjectDer: encodeName({ commonName: 's' }),
  publicKeyDer: publicKeyDer(ca.key),
};
function withExtensions(...extensions: Buffer[]): Buffer {
  return writeCertificate({
    ...EMPTY,
    notBefore: NOW,
    notAfter: hoursFromNow(1),
    serialNumber: serial(),
    extensions,
    signingKey: ca.key,
  });
}

test('an extension that comes twice is refused', () => {
  assert.throws(
    () => parseCertificate(withExtensions(LEAF_BASIC_CONSTRAINTS, caBasicConstraints())),
    /extension 2.5.29.19 twice/,
  );
});

test('critical extensions that are not understood are reported', () => {
  const extension = (dotted: string, critical: boolean) =>
    sequence(oid(dotted), ...(critical ? [Buffer.from('0101ff', 'hex')] : []), octetString(Buffer.of(5, 0)));
  assert.equal(parseCertificate(withExtensions(extension('1.2.3', true), extension('1.2.4', false))).unknownCritical, [
    '1.2.3',
  ]);
});

test('malformed extensions are refused', () => {
  const extension = (dotted: string, value: string) => sequence(oid(dotted), octetString(Buffer.from(value, 'hex')));
  const cases: [string, string][] = [
    ['2.5.29.19', '0101ff'],
    ['2.5.29.19', '30030101aa'],
    ['2.5.29.19', '30060101ff0201ff'],
    ['2.5.29.19', '30090101ff020100020100'],
    ['2.5.29.15', '0302'],
    ['2.5.29.15', '03020980'],
    ['2.5.29.37', '30020500'],
    ['2.5.29.17', '300482020a'],
    ['2.5.29.14', '3000'],
    ['2.5.29.35', '0400'],
    ['2.5.29.14', '04000500'],
  ];
  for (const [dotted, value] of cases) assert.throws(() => parseCertificate(withExtensions(extension(dotted, value))));
  assert.throws(() => parseCertificate(withExtensions(sequence(oid('1.2.3')))), /1.2.3/);
  assert.throws(
    () => parseCertificate(withExtensions(sequence(oid('1.2.3'), integer(1), octetString(Buffer.of(1))))),
    /1.2.3/,
  );
});

/** The parts of a certificate, to be replaced one by one. */
function assemble(
  parts: Partial<
    Record<'version' | 'serial' | 'algorithm' | 'validity' | 'subject' | 'key' | 'outer' | 'extensions', Buffer>
  >,
): Buffer {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const tbs = sequence(
    parts.version ?? explicit(0, integer(2)),
    parts.serial ?? integer(1),
    parts.algorithm ?? algorithm,
    EMPTY.issuerDer,
    parts.validity ?? sequence(time(NOW), time(hoursFromNow(1))),
    parts.subject ?? EMPTY.subjectDer,
    parts.key ?? EMPTY.publicKeyDer,
    parts.extensions ?? explicit(3, sequence(subjectKeyIdExtension(Buffer.of(1)))),
  );
  return sequence(tbs, parts.outer ?? algorithm, bitString(Buffer.of(0)));
}

test('malformed parts are refused, each by its name', () => {
  assert.is(parseCertificate(assemble({})).serialNumber, '01');
  const cases: [Buffer, RegExp][] = [
    [assemble({ outer: sequence(oid('1.2.840.10045.4.3.3')) }), /two signature algorithms/],
    [assemble({ version: explicit(0, integer(3)) }), /version 4/],
    [assemble({ version: explicit(0, integer(1)) }), /extensions in a certificate of version 2/],
    [assemble({ version: Buffer.alloc(0) }), /extensions in a certificate of version 1/],
    [assemble({ serial: Buffer.from('0201ff', 'hex') }), /negative serial/],
    [assemble({ serial: tlv(TAG.integer, Buffer.alloc(22, 1)) }), /serial number of 22 bytes/],
    [assemble({ serial: Buffer.from('0200', 'hex') }), /serial number of 0 bytes/],
    [assemble({ validity: sequence(time(NOW)) }), /no notAfter/],
    [assemble({ validity: sequence(integer(1), integer(2)) }), /notBefore is malformed/],
    [assemble({ subject: sequence(integer(1)) }), /RDN/],
    [assemble({ key: sequence() }), /public key/],
    [assemble({ extensions: explicit(3, sequence(integer(1))) }), /extension of the wrong type/],
    [sequence(assemble({})), /certificate|signature/],
    [Buffer.concat([assemble({}), Buffer.of(0)]), /bytes after/],
    [Buffer.alloc(0), /cut short/],
    [Buffer.alloc(70_000), /over 65536 bytes/],
  ];
  for (const [der, message] of cases) assert.throws(() => parseCertificate(der), message);
});

function nested(tag: number, depth: number): Buffer {
  let der: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) der = tlv(tag, der);
  return der;
}

test('bombs are refused within 100 ms', () => {
  const bombs: Record<string, Buffer> = {
    'deep nesting': nested(TAG.sequence, 10_000),
    'deep nesting in a name': assemble({ subject: nested(TAG.sequence, 10_000) }),
    'deep nesting in extensions': assemble({ extensions: explicit(3, nested(TAG.sequence, 10_000)) }),
    'indefinite lengths': Buffer.from('3080'.repeat(30_000), 'hex'),
    'a huge length': Buffer.from('3084ffffffff00', 'hex'),
    'a huge OID': assemble({ algorithm: sequence(tlv(TAG.oid, Buffer.alloc(60_000, 0x81))) }),
    'a huge OID in a name': assemble({
      subject: sequence(tlv(TAG.set, sequence(tlv(TAG.oid, Buffer.alloc(60_000, 0xff))))),
    }),
    'many elements': assemble({ subject: sequence(Buffer.alloc(60_000)) }),
    'many extensions': assemble({
      extensions: explicit(3, sequence(...Array.from({ length: 5000 }, () => sequence(integer(1))))),
    }),
    'a huge serial number': assemble({ serial: tlv(TAG.integer, Buffer.alloc(60_000, 1)) }),
  };
  for (const [name, der] of Object.entries(bombs)) {
    const ms = cpuMs(() => {
      assert.throws(() => parseCertificate(der), undefined, name);
      assert.throws(() => parseCertificates(toPem('CERTIFICATE', der)), undefined, name);
    });
    assert.ok(ms < 100, `${name}: ${ms} ms`);
  }
});

test('a damaged certificate throws an Error or is read, and never hangs or is taken for signed', () => {
  const { der } = client.certificate;
  const damage = fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.nat(der.length), fc.boolean(), (changes, cut, cuts) => {
      const copy = Buffer.from(cuts ? der.subarray(0, cut) : der);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      if (copy.equals(der)) return;
      try {
        const view = parseCertificate(copy);
        assert.not.ok(verifySignature(view, ca.certificate));
      } catch (error) {
        if (error instanceof assert.Assertion) throw error;
        assert.instance(error, Error);
        assert.not.instance(error, RangeError);
        assert.not.instance(error, TypeError);
      }
    }),
    { numRuns: 3000 },
  );
});

test('random bytes throw an Error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      assert.throws(() => parseCertificate(Buffer.from(bytes))),
    ),
    { numRuns: 2000 },
  );
});

test.run();
