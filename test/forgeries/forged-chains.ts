import { sequence } from '../../src/pki/asn1/write.ts';
import { LEAF_BASIC_CONSTRAINTS } from '../../src/pki/extensions.ts';
import { but, type Forgeries, from } from './forgery.ts';
import {
  altered,
  alteredDer,
  belowOf1024Bits,
  belowOfExponentOne,
  belowOfLongExponent,
  belowWith,
  ecdsaSigner,
  extension,
  hugeOid,
  impostor,
  inHours,
  nested,
  newKey,
  pemOf,
} from './forging.ts';

const UNTRUSTED = "does not chain to the authority's CA";

export const WRONG_ISSUER: Forgeries = {
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

export const WRONG_CHAIN: Forgeries = {
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

export const WRONG_BYTES: Forgeries = {
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
