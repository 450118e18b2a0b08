/** Encodings of a CA that Certwheel refuses exactly where OpenSSL, Go or Java does. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bitString, implicit, integer, octetString, oid, sequence, tlv } from '../../../src/pki/asn1/write.ts';
import { keyIdOf } from '../../../src/pki/extensions.ts';
import { encodingProblem } from '../../../src/pki/foreign-encodings.ts';
import { publicKeyDer } from '../../../src/pki/keys.ts';
import { encodeName } from '../../../src/pki/name.ts';
import { CA_KEY, named, type Parts, ROOT, strangePath } from '../strange-ca.ts';
import { refusalOf } from '../verifiers/judges.ts';
import { extension } from '../write-extensions.ts';
import { ask, judges } from './ask.ts';

test.after(judges.stop);

const spki = publicKeyDer(CA_KEY);
const algorithm = spki.subarray(2, spki.length - 68);
const point = spki.subarray(-65);

function extended(id: string, value: Buffer, critical = false): Parts {
  return { extensions: [extension(id, value, critical)] };
}

const san = (...names: Buffer[]) => extended('2.5.29.17', sequence(...names));
const uri = (text: string) => implicit(6, Buffer.from(text));
const OTHER = '1.2.3.4';
const LONG_ARC = '2.25.2147483648';

/** Each as [parts, whether all verifiers read it]. */
const CASES: Readonly<Record<string, readonly [Parts, boolean]>> = {
  nothing: [{}, true],
  'a PrintableString with _': [named(0x13, 'my_org'), false],
  'a PrintableString with @': [named(0x13, 'a@b'), false],
  'a PrintableString with NUL': [named(0x13, 'a\0b'), false],
  'a PrintableString with *': [named(0x13, '*.zoo'), true],
  'a PrintableString with &': [named(0x13, 'A & B'), true],
  'an empty PrintableString': [named(0x13, ''), true],
  'a PrintableString with _ of an unknown type': [named(0x13, 'a_b', OTHER), false],
  'an IA5String': [named(0x16, 'a_b'), true],
  'an IA5String that is not ASCII': [named(0x16, '\xe4', '1.2.840.113549.1.9.1'), false],
  'a TeletexString in Latin-1': [named(0x14, 'K\xf6ln'), true],
  'a BMPString': [named(0x1e, '\0K\0\xf6'), true],
  'a BMPString with half of a pair': [named(0x1e, '\xd8\x3d\xde\0'), false],
  'a BMPString with U+FFFE': [named(0x1e, '\xff\xfe'), false],
  'a BMPString with U+FDD0': [named(0x1e, '\xfd\xd0'), false],
  'a UniversalString': [named(0x1c, '\0\0\0a'), false],
  'a UTF8String that is not UTF-8': [named(0x0c, '\xff', OTHER), false],
  'a NumericString': [named(0x12, '12', OTHER), true],
  'a NumericString with letters': [named(0x12, 'ab', OTHER), false],
  'a VisibleString': [named(0x1a, 'ab', OTHER), false],
  'an attribute that is no text': [named(0x03, '\0\x05', '2.5.4.45'), false],
  'an attribute type with a long number': [named(0x0c, 'x', LONG_ARC), false],
  'a compressed EC point': [
    {
      spki: sequence(
        algorithm,
        bitString(Buffer.concat([Buffer.of(2 + ((point[64] ?? 0) & 1)), point.subarray(1, 33)])),
      ),
    },
    false,
  ],
  'a value after the public key': [{ spki: sequence(algorithm, bitString(point), tlv(0x05)) }, false],
  'a unique identifier': [{ uniqueIds: [tlv(0x81, Buffer.of(0, 1))] }, true],
  'a constructed unique identifier': [{ uniqueIds: [tlv(0xa1, tlv(3, Buffer.of(0, 1)))] }, false],
  'an empty unique identifier': [{ uniqueIds: [tlv(0x82)] }, false],
  'a padded serial number': [{ serial: tlv(2, Buffer.of(0, 5)) }, false],
  'the serial number 0': [{ serial: integer(0) }, true],
  'an extension with a long number': [extended(LONG_ARC, Buffer.of(5, 0)), false],
  'a usage with a long number': [extended('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.2'), oid(LONG_ARC))), false],
  'a policy with a long number': [extended('2.5.29.32', sequence(sequence(oid(LONG_ARC)))), true],
  'a CRL distribution point of a relative name': [
    extended('2.5.29.31', sequence(sequence(tlv(0xa0, tlv(0xa1, sequence(oid('2.5.4.3'), tlv(0x0c))))))),
    false,
  ],
  'a CRL distribution point with a URI': [
    extended('2.5.29.31', sequence(sequence(tlv(0xa0, tlv(0xa0, uri('http://crl.example/ca.crl')))))),
    true,
  ],
  'an empty CRL distribution point': [extended('2.5.29.31', sequence(sequence())), false],
  'CRL distribution points that are none': [extended('2.5.29.31', Buffer.of(5, 0)), false],
  'an authority information access that is none': [extended('1.3.6.1.5.5.7.1.1', Buffer.of(5, 0)), false],
  'a key usage with bits in its padding': [
    { keyUsage: extension('2.5.29.15', Buffer.from('03020107', 'hex'), true) },
    false,
  ],
  'a critical subject key identifier': [{ keyId: extension('2.5.29.14', octetString(keyIdOf(spki)), true) }, false],
  'an authority key identifier in another order': [
    extended('2.5.29.35', sequence(tlv(0x82, Buffer.of(5)), implicit(0, keyIdOf(publicKeyDer(ROOT.key))))),
    false,
  ],
  'a URI with a bad escape': [san(uri('http://x/%zz')), false],
  'a URI with an empty label': [san(uri('http://a..b/')), false],
  'a URI with an underscore in its host': [san(uri('http://a_b/c')), true],
  'a relative URI': [san(uri('foo')), true],
  'a directory name as critical alternative name': [
    extended('2.5.29.17', sequence(tlv(0xa4, encodeName({ commonName: 'x' }))), true),
    false,
  ],
  'a directory name as alternative name': [san(tlv(0xa4, encodeName({ commonName: 'x' }))), true],
  'an otherName': [san(tlv(0xa0, oid(OTHER), tlv(0xa0, tlv(0x0c)))), true],
  'an otherName without a value': [san(tlv(0xa0, tlv(0x05))), false],
  'an alternative name of an unknown kind': [san(tlv(0x89, Buffer.of(42, 3))), false],
  'a Netscape certificate type that is none': [extended('2.16.840.1.113730.1.1', Buffer.of(5, 0)), false],
};

for (const [what, [parts, readable]] of Object.entries(CASES)) {
  test(`a CA with ${what} is ${readable ? 'readable' : 'refused'}, as OpenSSL, Go and Java have it together`, async () => {
    const path = strangePath(parts);
    const theirs = refusalOf(await ask(path));
    assert.is(theirs === null, readable, theirs ?? 'all accept');
    const problem = encodingProblem(path[1]);
    assert.is(problem === undefined, readable, problem);
  });
}

test.run();
