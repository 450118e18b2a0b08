import { integer, oid, sequence, set, tlv } from '../../src/pki/asn1/write.ts';
import { type CertificateView, parseCertificate } from '../../src/pki/certificate.ts';
import {
  caBasicConstraints,
  keyIdOf,
  LEAF_BASIC_CONSTRAINTS,
  subjectKeyIdExtension,
  usageExtensions,
} from '../../src/pki/extensions.ts';
import { generateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { encodeName } from '../../src/pki/name.ts';
import { algorithmIdentifierFor, signBytes } from '../../src/pki/signature.ts';
import { hoursFromNow, P256, root, serial } from './make.ts';
import { rawCertificate } from './raw-certificate.ts';
import { writeCertificate } from './write-certificate.ts';

/** Paths whose intermediate has a part in an encoding that is seldom or wrong. */

/** The issuer of all intermediates. */
export const ROOT = await root();
/** Of all intermediates. */
export const CA_KEY = await generateKey(P256);
const spki = publicKeyDer(CA_KEY);

/** What differs from a good CA, as DER. */
export interface Parts {
  readonly subject?: Buffer;
  readonly spki?: Buffer;
  /** A whole INTEGER. */
  readonly serial?: Buffer;
  readonly uniqueIds?: readonly Buffer[];
  /** These two are whole Extensions. */
  readonly keyUsage?: Buffer;
  readonly keyId?: Buffer;
  readonly extensions?: readonly Buffer[];
}

function strangeCa(parts: Parts): CertificateView {
  const key = parts.spki ?? spki;
  const der = rawCertificate(
    {
      serialDer: parts.serial ?? integer(serial()),
      algorithm: algorithmIdentifierFor(P256),
      issuerDer: ROOT.certificate.subjectDer,
      notBefore: hoursFromNow(-1),
      notAfter: hoursFromNow(24),
      subjectDer: parts.subject ?? encodeName({ commonName: 'strange' }),
      publicKeyDer: key,
      ...(parts.uniqueIds && { uniqueIds: parts.uniqueIds }),
      extensions: [
        caBasicConstraints(),
        ...(parts.keyUsage ? [parts.keyUsage] : usageExtensions(['cert sign', 'crl sign'])),
        parts.keyId ?? subjectKeyIdExtension(keyIdOf(key)),
        ...(parts.extensions ?? []),
      ],
    },
    (tbs) => signBytes(tbs, ROOT.key),
  );
  return parseCertificate(der);
}

/** A leaf for clients, the strange CA, and a root without flaws. */
export function strangePath(parts: Parts): [leaf: CertificateView, ca: CertificateView, root: CertificateView] {
  const ca = strangeCa(parts);
  const leaf = writeCertificate({
    serialNumber: serial(),
    issuerDer: ca.subjectDer,
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(12),
    subjectDer: encodeName({ commonName: 'the client' }),
    publicKeyDer: publicKeyDer(ROOT.key),
    extensions: [LEAF_BASIC_CONSTRAINTS, ...usageExtensions(['client auth'])],
    signingKey: CA_KEY,
  });
  return [parseCertificate(leaf), ca, ROOT.certificate];
}

const COMMON_NAME = set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from('strange'))));

/** A subject with one more attribute, by default an organization, whose value has that tag and these bytes (Latin-1). */
export function named(tag: number, value: string, type = '2.5.4.10'): Parts {
  return { subject: sequence(set(sequence(oid(type), tlv(tag, Buffer.from(value, 'latin1')))), COMMON_NAME) };
}
