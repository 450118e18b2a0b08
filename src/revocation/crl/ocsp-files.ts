import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { keyMatches } from '../../pki/key-match.ts';
import { encodePrivateKey, type PrivateKey, parsePrivateKey } from '../../pki/keys.ts';
import { isIssuedBy } from '../../pki/signed-by.ts';
import { type Signer, signerOf } from '../../pki/signer.ts';
import type { CrlPlace } from './crl-maps.ts';

/** What signs the OCSP answers for one CA generation. */
export interface OcspKey {
  /** Issued by `ca`, for nothing but OCSP answers. */
  readonly certificate: CertificateView;
  readonly ca: CertificateView;
  readonly signer: Signer;
  /** See markedSerial. */
  readonly serialKey: Buffer;
}

/** The keys of the Secret for one CA generation, which are files of the responder. */
export interface OcspFiles {
  /** The certificate, and below it that of its CA. */
  readonly crt: Buffer;
  readonly key: Buffer;
  readonly 'serial-key': Buffer;
}

const KINDS = ['crt', 'key', 'serial-key'] as const;

/** `<uid>-v<n>`, the begin of the names. */
export function ocspStem({ uid, version }: CrlPlace): string {
  return `${uid}-v${version}`;
}

/** By their names: `<uid>-v<n>.crt`, `.key` and `.serial-key`. */
export function ocspData(stem: string, files: OcspFiles): Record<string, Buffer> {
  return Object.fromEntries(KINDS.map((kind) => [`${stem}.${kind}`, files[kind]]));
}

/** The place (see placeKey) and the kind that a name stands for; undefined for another name. */
export function parseOcspName(name: string): { readonly stem: string; readonly place: string } | undefined {
  const [, stem, uid, version] = /^(([0-9a-zA-Z-]+)-v(\d+))\.(?:crt|key|serial-key)$/.exec(name) ?? [];
  return stem === undefined ? undefined : { stem, place: `${uid}/v${version}` };
}

export function ocspFiles(
  certificate: CertificateView,
  ca: CertificateView,
  key: PrivateKey,
  serialKey: Buffer,
): OcspFiles {
  return {
    crt: Buffer.from(certificate.pem + ca.pem),
    key: Buffer.from(encodePrivateKey(key, 'PKCS8')),
    'serial-key': serialKey,
  };
}

/** Throws an Error that names what is wrong, and never holds any of the key. */
export function readOcspKey(data: Readonly<Record<string, Buffer>>, stem: string): OcspKey {
  const [crt, keyPem, serialKey] = KINDS.map((kind) => data[`${stem}.${kind}`]);
  if (crt === undefined || keyPem === undefined || serialKey === undefined)
    throw new Error(`${stem}.crt, .key or .serial-key is missing`);
  const [certificate, ca] = parseCertificates(crt.toString('utf8'), { most: 2 });
  if (certificate === undefined || ca === undefined) throw new Error(`${stem}.crt does not hold two certificates`);
  if (!isIssuedBy(certificate, ca)) throw new Error(`the certificates in ${stem}.crt do not belong together`);
  const key = parsePrivateKey(keyPem.toString('utf8'));
  if (!keyMatches(certificate.publicKeyDer, key)) throw new Error(`${stem}.key is not the key of ${stem}.crt`);
  return { certificate, ca, signer: signerOf(key), serialKey };
}
