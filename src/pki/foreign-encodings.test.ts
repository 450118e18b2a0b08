import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extension } from '../../test/pki/constrained.ts';
import { goVerdicts, javaVerdicts, opensslVerdict } from '../../test/pki/judges/judges.ts';
import { hoursFromNow, leaf, NOW, P256, root, serial } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { type CertificateView, parseCertificate } from './certificate.ts';
import { bitString, explicit, implicit, integer, octetString, oid, sequence, set, time, tlv } from './der.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  subjectKeyIdExtension,
  usageExtensions,
} from './extensions.ts';
import { encodingProblem } from './foreign-encodings.ts';
import { encodePrivateKey, generateKey, type PrivateKey, publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { algorithmIdentifierFor, signBytes } from './signature.ts';

const keys = { root: await generateKey(P256), ca: await generateKey(P256) };
const spki = publicKeyDer(keys.ca);
const algorithm = spki.subarray(2, spki.length - 68);
const point = spki.subarray(-65);

interface Parts {
  readonly subject?: Buffer;
  readonly spki?: Buffer;
  readonly serial?: Buffer;
  readonly uniqueIds?: readonly Buffer[];
  readonly keyUsage?: Buffer;
  readonly keyId?: Buffer;
  readonly extensions?: readonly Buffer[];
}

/** An intermediate whose parts are given as DER; `writeCertificate` would not write them. */
function strange(issuer: Buffer, signer: PrivateKey, parts: Parts): CertificateView {
  const identifier = algorithmIdentifierFor(signer);
  const key = parts.spki ?? spki;
  const usage = parts.keyUsage ? [parts.keyUsage] : usageExtensions(['cert sign', 'crl sign']);
  const tbs = sequence(
    explicit(0, integer(2)),
    parts.serial ?? integer(serial()),
    identifier,
    issuer,
    sequence(time(hoursFromNow(-1)), time(hoursFromNow(24))),
    parts.subject ?? encodeName({ commonName: 'strange' }),
    key,
    ...(parts.uniqueIds ?? []),
    explicit(
      3,
      sequence(
        caBasicConstraints(),
        ...usage,
        parts.keyId ?? subjectKeyIdExtension(keyIdOf(key)),
        ...(parts.extensions ?? []),
      ),
    ),
  );
  return parseCertificate(sequence(tbs, identifier, bitString(signBytes(tbs, signer))));
}

function pathOf(parts: Parts): [CertificateView, CertificateView, CertificateView] {
  const rootName = encodeName({ commonName: 'root' });
  const anchor = strange(rootName, keys.root, {
    subject: rootName,
    spki: publicKeyDer(keys.root),
    extensions: [authorityKeyIdExtension(keyIdOf(publicKeyDer(keys.root)))],
  });
  const ca = strange(rootName, keys.root, parts);
  const identifier = algorithmIdentifierFor(keys.ca);
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(serial()),
    identifier,
    ca.subjectDer,
    sequence(time(hoursFromNow(-1)), time(hoursFromNow(12))),
    encodeName({ commonName: 'the client' }),
    publicKeyDer(keys.root),
    explicit(3, sequence(LEAF_BASIC_CONSTRAINTS, ...usageExtensions(['client auth']))),
  );
  const client = parseCertificate(sequence(tbs, identifier, bitString(signBytes(tbs, keys.ca))));
  return [client, ca, anchor];
}

const COMMON_NAME = set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from('strange'))));

function named(tag: number, value: string, type = '2.5.4.10'): Parts {
  return { subject: sequence(set(sequence(oid(type), tlv(tag, Buffer.from(value, 'latin1')))), COMMON_NAME) };
}

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
    extended('2.5.29.35', sequence(tlv(0x82, Buffer.of(5)), implicit(0, keyIdOf(publicKeyDer(keys.root))))),
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

const paths = Object.values(CASES).map(([parts]) => pathOf(parts));
const go = goVerdicts(paths, NOW);
const java = javaVerdicts(paths, NOW);

for (const [index, [what, [, readable]]] of Object.entries(CASES).entries()) {
  test(`a CA with ${what} is ${readable ? 'readable' : 'refused'}, as OpenSSL, Go and Java have it together`, () => {
    const path = paths[index];
    assert.ok(path);
    const theirs = opensslVerdict(path, NOW) ?? go[index] ?? java[index];
    assert.is(theirs === undefined, readable, theirs);
    const problem = encodingProblem(path[1]);
    assert.is(problem === undefined, readable, problem);
  });
}

test('the problem names the verifier, the encoding and the attribute', () => {
  assert.is(encodingProblem(pathOf(named(0x13, 'my_org'))[1]), 'Go refuses a PrintableString with "_" in O=my_org');
});

test('what Certwheel makes itself has no problem', async () => {
  for (const keySpec of [P256, { algorithm: 'RSA', size: 2048 }, { algorithm: 'Ed25519' }] as const) {
    const ca = await root({ keySpec });
    assert.is(encodingProblem(ca.certificate), undefined);
    const names = {
      dnsNames: ['*.a_b.example'],
      uris: ['spiffe://a.example/x'],
      emailAddresses: [],
      ipAddresses: ['::1'],
    };
    const client = await leaf(ca, { subject: { organizations: ['Ä & Co'], serialNumber: '1' }, names });
    assert.is(encodingProblem(client.certificate), undefined);
  }
});

test('the command for a compressed key writes the same key, with which a readable certificate is made', () => {
  const compressed = openssl(['ec', '-in', '{key}', '-conv_form', 'compressed'], {
    key: encodePrivateKey(keys.ca, 'PKCS1'),
  });
  const request = ['req', '-x509', '-subj', '/CN=again', '-key', '{key}'];
  const [bad] = [openssl(request, { key: compressed.out })].map(({ out }) => out);
  assert.match(problemOf(bad ?? '') ?? '', /compressed/);
  const plain = openssl(['ec', '-in', '{key}', '-conv_form', 'uncompressed'], { key: compressed.out });
  assert.is(problemOf(openssl(request, { key: plain.out }).out), undefined);
});

function problemOf(pem: string): string | undefined {
  const base64 = pem.replace(/-----[A-Z ]+-----/g, '');
  return encodingProblem(parseCertificate(Buffer.from(base64, 'base64')));
}

test.run();
