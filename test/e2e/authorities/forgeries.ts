/** The wrong answers of a CA, each made of a right one and signed by the CA's own key: only what is wrong is wrong. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { bitString, explicit, integer, oid, sequence, time } from '../../../src/pki/der.ts';
import {
  authorityKeyIdExtension,
  caBasicConstraints,
  LEAF_BASIC_CONSTRAINTS,
  nameExtensions,
  usageExtensions,
} from '../../../src/pki/extensions.ts';
import { makeRoot, newSerialNumber } from '../../../src/pki/issue.ts';
import { publicKeyDer } from '../../../src/pki/keys.ts';
import { encodeName, type Subject } from '../../../src/pki/name.ts';
import { toPem } from '../../../src/pki/pem.ts';
import type { Names } from '../../../src/pki/san.ts';

const HOUR = 3_600_000;

/** The right answer, and what it takes to make another. */
export interface Honest {
  readonly leaf: CertificateView;
  readonly intermediate: CertificateView;
  readonly root: CertificateView;
  /** The key of the intermediate. */
  readonly key: KeyObject;
  /** Serial number of the certificate that is there already, hex. */
  readonly heldSerial: string;
}

export interface Forgery {
  /** The chain that is answered, as PEM; or whatever stands there in its place. */
  forge(honest: Honest): readonly unknown[];
  /** Part of what Certwheel says of it. */
  readonly says: string;
  /** Wrong only in what was there before. */
  readonly onlyRenewal?: boolean;
}

interface Wish {
  readonly serialNumber?: Buffer;
  readonly subject?: Subject;
  readonly names?: Partial<Names>;
  readonly usages?: readonly string[];
  readonly publicKeyDer?: Buffer;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly basicConstraints?: Buffer;
  readonly more?: readonly Buffer[];
  readonly sha1?: boolean;
  readonly issuer?: { readonly certificate: CertificateView; readonly key: KeyObject };
}

const ECDSA = { sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2' } as const;

/** The right certificate but for what is wished, signed by the intermediate unless told. */
export function altered({ leaf, intermediate, key }: Honest, wish: Wish): string {
  const issuer = wish.issuer ?? { certificate: intermediate, key };
  const digest = wish.sha1 ? 'sha1' : 'sha256';
  const algorithm = sequence(oid(ECDSA[digest]));
  const body = sequence(
    explicit(0, integer(2)),
    integer(wish.serialNumber ?? Buffer.from(leaf.serialNumber, 'hex')),
    algorithm,
    issuer.certificate.subjectDer,
    sequence(time(wish.notBefore ?? leaf.notBefore), time(wish.notAfter ?? leaf.notAfter)),
    wish.subject === undefined ? leaf.subjectDer : encodeName(wish.subject),
    wish.publicKeyDer ?? leaf.publicKeyDer,
    explicit(
      3,
      sequence(
        wish.basicConstraints ?? LEAF_BASIC_CONSTRAINTS,
        ...usageExtensions(wish.usages ?? leaf.usages),
        ...nameExtensions({ ...leaf.names, ...wish.names }, false),
        authorityKeyIdExtension(Buffer.from(issuer.certificate.subjectKeyId ?? '', 'hex')),
        ...(wish.more ?? []),
      ),
    ),
  );
  return toPem('CERTIFICATE', sequence(body, algorithm, bitString(sign(digest, body, issuer.key))));
}

/** The same as an answer: with the right intermediate behind it. */
function alteredChain(wish: (honest: Honest) => Wish): Forgery['forge'] {
  return (honest) => [altered(honest, wish(honest)), honest.intermediate.pem];
}

function inHours(hours: number): Date {
  return new Date(Date.now() + hours * HOUR);
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A CA of the same names as the intermediate, which nobody trusts. */
function impostor({ intermediate }: Honest): { certificate: CertificateView; key: KeyObject } {
  const key = newKey();
  const validity = { notBefore: inHours(-1), notAfter: inHours(1000) };
  const serialNumber = newSerialNumber(Buffer.alloc(16, 7));
  return {
    key,
    certificate: parseCertificate(makeRoot({ subject: intermediate.subject, key, ...validity, serialNumber })),
  };
}

/** SEQUENCEs in each other, as many as fit into so many bytes. */
function nested(bytes: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  while (inner.length < bytes) inner = sequence(inner);
  return inner;
}

function pemOf(der: Buffer): string {
  return toPem('CERTIFICATE', der);
}

export const FORGERIES: Readonly<Record<string, Forgery>> = {
  'a certificate for another key': {
    forge: alteredChain(() => ({ publicKeyDer: publicKeyDer(newKey()) })),
    says: 'the certificate is for another public key',
  },
  'another name': {
    forge: alteredChain(() => ({ names: { dnsNames: ['mallory.example.com'] } })),
    says: 'dnsNames holds "mallory.example.com" in place of',
  },
  'one name more': {
    forge: alteredChain(({ leaf }) => ({ names: { dnsNames: [...leaf.names.dnsNames, '*.example.com'] } })),
    says: '"*.example.com" in place of',
  },
  'a name of another kind more': {
    forge: alteredChain(() => ({ names: { uris: ['spiffe://example.com/admin'] } })),
    says: 'uris holds "spiffe://example.com/admin" in place of nothing',
  },
  'another common name': {
    forge: alteredChain(() => ({ subject: { commonName: 'mallory' } })),
    says: 'commonName holds "mallory" in place of',
  },
  'an organization more': {
    forge: alteredChain(({ leaf }) => ({ subject: { ...leaf.subject, organizations: ['system:masters'] } })),
    says: 'organizations holds "system:masters" in place of nothing',
  },
  'a CA': {
    forge: alteredChain(({ leaf }) => ({
      basicConstraints: caBasicConstraints(),
      usages: [...leaf.usages, 'cert sign'],
    })),
    says: 'the certificate is a CA',
  },
  'one that has expired': {
    forge: alteredChain(() => ({ notBefore: inHours(-2), notAfter: inHours(-1) })),
    says: 'the certificate has expired at',
  },
  'one that begins in half an hour': {
    forge: alteredChain(() => ({ notBefore: inHours(0.5), notAfter: inHours(0.9) })),
    says: 'the certificate is not valid before',
  },
  'a longer life than asked for': {
    forge: alteredChain(() => ({ notAfter: inHours(24) })),
    says: 'the certificate ends at',
  },
  'one by a stranger of the same name': {
    forge: (honest) => [altered(honest, { issuer: impostor(honest) }), honest.intermediate.pem],
    says: "does not chain to the authority's CA",
  },
  'one by a stranger, with the stranger': {
    forge: (honest) => {
      const issuer = impostor(honest);
      return [altered(honest, { issuer }), issuer.certificate.pem];
    },
    says: "does not chain to the authority's CA",
  },
  'a chain without its middle': {
    forge: ({ leaf, root }) => [leaf.pem, root.pem],
    says: "does not chain to the authority's CA",
  },
  'a chain that begins with the CA': {
    forge: ({ leaf, intermediate }) => [intermediate.pem, leaf.pem],
    says: 'the certificate is for another public key',
  },
  'the root alone': { forge: ({ root }) => [root.pem], says: 'the certificate is for another public key' },
  'a chain of a hundred': {
    forge: ({ leaf, intermediate }) => [leaf.pem, ...Array.from({ length: 99 }, () => intermediate.pem)],
    says: 'the chain holds 100 certificates',
  },
  nothing: { forge: () => [], says: 'there is no certificate' },
  'something else than text': { forge: () => [17, null, { pem: 'none' }], says: 'there is no certificate' },
  'garbage in place of PEM': { forge: () => ['-----BEGIN CERTIFICATE-----\n!!!\n'], says: 'malformed certificate' },
  'a cut certificate': {
    forge: ({ leaf, intermediate }) => [pemOf(leaf.der.subarray(0, -40)), intermediate.pem],
    says: 'malformed certificate',
  },
  'ten megabytes': { forge: ({ leaf }) => [leaf.pem.repeat(12_000)], says: 'more than 1048576 bytes' },
  'ASN.1 a thousand levels deep': { forge: () => [pemOf(nested(3_500))], says: 'malformed certificate' },
  'an object identifier of 20 kB': {
    forge: alteredChain(() => ({ more: [sequence(hugeOid(), Buffer.from('0400', 'hex'))] })),
    says: 'malformed certificate',
  },
  'the serial number of the one before': {
    forge: alteredChain(({ heldSerial }) => ({ serialNumber: Buffer.from(heldSerial, 'hex') })),
    says: 'the certificate has the serial number of an earlier one',
    onlyRenewal: true,
  },
  'a signature with SHA-1': { forge: alteredChain(() => ({ sha1: true })), says: 'the certificate is signed with' },
  'a usage more': {
    forge: alteredChain(({ leaf }) => ({ usages: [...leaf.usages, 'server auth'] })),
    says: 'the certificate has the usage "server auth", which nobody asked for',
  },
  'one for servers': {
    forge: alteredChain(() => ({ usages: ['digital signature', 'server auth'] })),
    says: 'the certificate lacks the usage "client auth"',
  },
};

function hugeOid(): Buffer {
  const content = Buffer.concat([Buffer.of(0x2a), Buffer.alloc(20_000, 0x81), Buffer.of(1)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([Buffer.of(0x06, 0x82), length, content]);
}
