/** The wrong answers of a CA, for any backend: what is answered in place of a right chain, and what Certwheel says of it. */

import { oid, sequence, set, utf8String } from '../../../src/pki/der.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS } from '../../../src/pki/extensions.ts';
import { publicKeyDer } from '../../../src/pki/keys.ts';
import {
  altered,
  alteredDer,
  belowOf1024Bits,
  belowOfExponentOne,
  belowOfLongExponent,
  belowWith,
  ecdsaSigner,
  extension,
  type Honest,
  hugeOid,
  type Issuer,
  impostor,
  inHours,
  namesake,
  nested,
  newKey,
  pemOf,
  type Wish,
} from './forging.ts';

/** The chain that is answered, as PEM; or whatever stands there in its place. */
export type Forge = (honest: Honest) => readonly unknown[];

export interface Forgery {
  readonly forge: Forge;
  /** Part of what Certwheel says of it. */
  readonly says: string;
  /** Wrong only in what was there before. */
  readonly onlyRenewal?: boolean;
}

/** The right certificate but for what is wished, with the right intermediate behind it. */
function but(wish: (honest: Honest) => Wish): Forge {
  return (honest) => [altered(honest, wish(honest)), honest.intermediate.pem];
}

/** The right certificate, but from a CA below the right intermediate. */
function from(make: (honest: Honest) => Issuer): Forge {
  return (honest) => {
    const issuer = make(honest);
    return [altered(honest, { issuer }), issuer.certificate.pem, honest.intermediate.pem];
  };
}

const UNTRUSTED = "does not chain to the authority's CA";

const COMMON_NAME = '2.5.4.3';

function commonNames(...values: readonly string[]): Buffer {
  return sequence(...values.map((value) => set(sequence(oid(COMMON_NAME), utf8String(value)))));
}

const WRONG_IDENTITY: Readonly<Record<string, Forgery>> = {
  'a certificate for another key': {
    forge: but(() => ({ publicKeyDer: publicKeyDer(newKey()) })),
    says: 'the certificate is for another public key',
  },
  'another name': {
    forge: but(() => ({ names: { dnsNames: ['mallory.example.com'] } })),
    says: 'dnsNames holds "mallory.example.com" in place of',
  },
  'one name more': {
    forge: but(({ leaf }) => ({ names: { dnsNames: [...leaf.names.dnsNames, '*.example.com'] } })),
    says: '"*.example.com" in place of',
  },
  'a name of another kind more': {
    forge: but(() => ({ names: { uris: ['spiffe://example.com/admin'] } })),
    says: 'uris holds "spiffe://example.com/admin" in place of nothing',
  },
  'no names': { forge: but(() => ({ names: { dnsNames: [] } })), says: 'dnsNames holds nothing in place of' },
  'two thousand names': {
    forge: but(() => ({ names: { dnsNames: Array.from({ length: 2_000 }, (_, at) => `n${at}.example.com`) } })),
    says: 'dnsNames holds "n0.example.com", "n1.example.com"',
  },
  'another common name': {
    forge: but(() => ({ subject: { commonName: 'mallory' } })),
    says: 'commonName holds "mallory" in place of',
  },
  'a second common name': {
    forge: but(({ leaf }) => ({ subjectDer: commonNames(leaf.subject.commonName ?? '', 'mallory') })),
    says: 'the subject holds "CN=mallory", which nobody asked for',
  },
  'a common name of 30 kB that commands terminals': {
    forge: but(() => ({ subjectDer: commonNames(`\u001b[2J\u202e${'x'.repeat(30_000)}`) })),
    says: 'commonName holds "\\u001b[2J\\u{202e}xxx',
  },
  'an organization more': {
    forge: but(({ leaf }) => ({ subject: { ...leaf.subject, organizations: ['system:masters'] } })),
    says: 'organizations holds "system:masters" in place of nothing',
  },
  'an account of a Windows domain': {
    forge: but(() => ({ more: [extension('1.3.6.1.4.1.311.25.2', Buffer.from('3000', 'hex'))] })),
    says: 'holds a Windows security identifier, which nobody asked for',
  },
  'the serial number of the one before': {
    forge: but(({ heldSerial }) => ({ serialNumber: Buffer.from(heldSerial, 'hex') })),
    says: 'the certificate has the serial number of an earlier one',
    onlyRenewal: true,
  },
};

const WRONG_POWERS: Readonly<Record<string, Forgery>> = {
  'a CA': {
    forge: but(({ leaf }) => ({ basicConstraints: caBasicConstraints(), usages: [...leaf.usages, 'cert sign'] })),
    says: 'the certificate is a CA',
  },
  'a usage more': {
    forge: but(({ leaf }) => ({ usages: [...leaf.usages, 'server auth'] })),
    says: 'the certificate has the usage "server auth", which nobody asked for',
  },
  'one for servers': {
    forge: but(() => ({ usages: ['digital signature', 'server auth'] })),
    says: 'the certificate lacks the usage "client auth"',
  },
  'a critical extension that nobody knows': {
    forge: but(() => ({ more: [extension('1.2.3.4', Buffer.from('0500', 'hex'), true)] })),
    says: 'has the unknown critical extension 1.2.3.4',
  },
};

const WRONG_LIFE: Readonly<Record<string, Forgery>> = {
  'one that has expired': {
    forge: but(() => ({ notBefore: inHours(-2), notAfter: inHours(-1) })),
    says: 'the certificate has expired at',
  },
  'one that begins in half an hour': {
    forge: but(() => ({ notBefore: inHours(0.5), notAfter: inHours(0.9) })),
    says: 'the certificate is not valid before',
  },
  'one that ends before it begins': {
    forge: but(() => ({ notBefore: inHours(0.9), notAfter: inHours(0.5) })),
    says: 'the certificate ends before it begins',
  },
  'one that ends in five seconds': {
    forge: but(() => ({ notAfter: inHours(5 / 3_600) })),
    says: 'too soon to be renewed before',
  },
  'a longer life than asked for': {
    forge: but(() => ({ notAfter: inHours(24) })),
    says: 'the certificate ends at',
  },
};

const WRONG_ISSUER: Readonly<Record<string, Forgery>> = {
  'one by a stranger of the same name': {
    forge: (honest) => [altered(honest, { issuer: impostor(honest) }), honest.intermediate.pem],
    says: UNTRUSTED,
  },
  'one by a stranger, with the stranger': {
    forge: (honest) => {
      const issuer = impostor(honest);
      return [altered(honest, { issuer }), issuer.certificate.pem];
    },
    says: UNTRUSTED,
  },
  'a signature of which one bit is another': {
    forge: (honest) => {
      const der = alteredDer(honest, {});
      der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
      return [pemOf(der), honest.intermediate.pem];
    },
    says: UNTRUSTED,
  },
  'a signature with SHA-1': {
    forge: (honest) => {
      const issuer = { certificate: honest.intermediate, signature: ecdsaSigner(honest.key, 'sha1') };
      return [altered(honest, { issuer }), honest.intermediate.pem];
    },
    says: 'the certificate is signed with ecdsa-with-SHA1',
  },
  'an issuer with a key of 1024 bits': {
    forge: from(belowOf1024Bits),
    says: 'CN=below has an RSA key of only 1024 bits',
  },
  'an issuer for which anybody can sign': {
    forge: from(belowOfExponentOne),
    says: 'CN=below has an RSA key with the public exponent 1',
  },
  'an issuer whose key takes its time': {
    forge: from(belowOfLongExponent),
    says: UNTRUSTED,
  },
  'an issuer that is signed with SHA-1': {
    forge: from((honest) =>
      belowWith(honest, {
        issuer: { certificate: honest.intermediate, signature: ecdsaSigner(honest.key, 'sha1') },
      }),
    ),
    says: 'CN=below is signed with ecdsa-with-SHA1',
  },
  'an issuer that is no CA': {
    forge: from((honest) => belowWith(honest, { basicConstraints: LEAF_BASIC_CONSTRAINTS })),
    says: 'CN=below is not a CA',
  },
  'an issuer that may not sign': {
    forge: from((honest) => belowWith(honest, { usages: ['crl sign'] })),
    says: 'CN=below may not sign certificates',
  },
  'an issuer that has ended': {
    forge: from((honest) => belowWith(honest, { notBefore: inHours(-2), notAfter: inHours(-1) })),
    says: 'the certificate outlives its issuer "CN=below"',
  },
};

const WRONG_CHAIN: Readonly<Record<string, Forgery>> = {
  'a chain without its middle': { forge: ({ leaf, root }) => [leaf.pem, root.pem], says: UNTRUSTED },
  'a chain that begins with the CA': {
    forge: ({ leaf, intermediate }) => [intermediate.pem, leaf.pem],
    says: 'the certificate is for another public key',
  },
  'the root alone': { forge: ({ root }) => [root.pem], says: 'the certificate is for another public key' },
  'a chain of a hundred': {
    forge: ({ leaf, intermediate }) => [leaf.pem, ...Array.from({ length: 99 }, () => intermediate.pem)],
    says: '100 certificates; at most 10 are read',
  },
  nothing: { forge: () => [], says: 'there is no certificate' },
  'something else than text': { forge: () => [17, null, { pem: 'none' }], says: 'there is no certificate' },
};

const WRONG_BYTES: Readonly<Record<string, Forgery>> = {
  'garbage in place of PEM': {
    forge: () => ['-----BEGIN CERTIFICATE-----\n!!!\n'],
    says: 'the PEM block CERTIFICATE has no end',
  },
  'text before the PEM': {
    forge: ({ leaf, intermediate }) => [`subject=client\n${leaf.pem}`, intermediate.pem],
    says: 'bytes outside the PEM blocks',
  },
  'a private key beside it': {
    forge: ({ leaf }) => [leaf.pem, newKey().export({ type: 'pkcs8', format: 'pem' })],
    says: 'where a certificate belongs',
  },
  'a cut certificate': {
    forge: ({ leaf, intermediate }) => [pemOf(leaf.der.subarray(0, -40)), intermediate.pem],
    says: 'DER cut short',
  },
  'as much as is read of any answer': {
    forge: ({ leaf }) => [leaf.pem.repeat(900_000 / leaf.pem.length)],
    says: 'PEM over 100000 bytes',
  },
  'ten megabytes': { forge: ({ leaf }) => [leaf.pem.repeat(12_000)], says: 'more than 1048576 bytes' },
  'a certificate of 100 kB': {
    forge: but(() => ({ more: [extension('1.2.3.4', Buffer.alloc(100_000, 1))] })),
    says: 'PEM over 100000 bytes',
  },
  'ASN.1 a thousand levels deep': { forge: () => [pemOf(nested(3_500))], says: 'no signature algorithm' },
  'an object identifier of 20 kB': {
    forge: but(() => ({ more: [sequence(hugeOid(), Buffer.from('0400', 'hex'))] })),
    says: 'extension id is malformed',
  },
  'an extension twice': {
    forge: but(() => ({ more: [LEAF_BASIC_CONSTRAINTS] })),
    says: 'extension 2.5.29.19 twice',
  },
  'two signature algorithms': {
    forge: but(({ key }) => ({ claimedAlgorithm: ecdsaSigner(key, 'sha1').algorithm })),
    says: 'the certificate names two signature algorithms',
  },
  'a serial number of 100 bytes': {
    forge: but(() => ({ serialNumber: Buffer.alloc(100, 0x55) })),
    says: 'a serial number of 100 bytes',
  },
};

export const FORGERIES: Readonly<Record<string, Forgery>> = {
  ...WRONG_IDENTITY,
  ...WRONG_POWERS,
  ...WRONG_LIFE,
  ...WRONG_ISSUER,
  ...WRONG_CHAIN,
  ...WRONG_BYTES,
};

/** What is no lie, though it isn't what was expected either. */
export const ODDITIES: Readonly<Record<string, Forge>> = {
  'a shorter life than asked for': but(() => ({ notAfter: inHours(1 / 3) })),
  'a chain out of order': ({ leaf, root, intermediate }) => [leaf.pem, root.pem, intermediate.pem, leaf.pem],
  'a namesake of its issuer that leads nowhere': (honest) => [
    honest.leaf.pem,
    namesake(honest),
    honest.intermediate.pem,
  ],
};
