import { bitString, explicit, implicit, integer, sequence, TAG, time, tlv } from './asn1/write.ts';
import type { CertificateView } from './certificate.ts';
import { authorityKeyIdExtension, extension } from './extensions.ts';
import { keyIdOfCa } from './issue.ts';
import { algorithmIdentifierFor } from './signature.ts';
import type { Signer } from './signer.ts';

export interface RevokedEntry {
  /** Hex of even length. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  /** Of RFC 5280 section 5.3.1. 0 (unspecified) isn't written. */
  readonly reasonCode: number;
}

export interface CrlRequest {
  readonly ca: { readonly certificate: CertificateView; readonly signer: Signer };
  /** Higher than that of every list before, also of another generation with this key. At most 20 octets. */
  readonly number: bigint;
  readonly thisUpdate: Date;
  /** A verifier refuses every certificate of the CA after it. */
  readonly nextUpdate: Date;
  /** See `revokedEntry`; in any order. */
  readonly entries: readonly Buffer[];
  /** Where the list is served, as leaves name it; undefined where it isn't. */
  readonly url?: string | undefined;
}

/** The label by which OpenSSL finds a list in PEM. */
export const CRL_LABEL = 'X509 CRL';

const VERSION_2 = integer(1);
const OID = { crlNumber: '2.5.29.20', reasonCode: '2.5.29.21', issuingDistributionPoint: '2.5.29.28' } as const;
const URI = 6;
const MOST_NUMBER_BITS = 159;

const reasons = new Map<number, Buffer>();

/** One entry of a list (DER). A list that is signed again takes it as it is: to write 100,000 of them takes a second. */
export function revokedEntry({ serialNumber, revokedAt, reasonCode }: RevokedEntry): Buffer {
  const serial = integer(Buffer.from(serialNumber, 'hex'));
  // RFC 5280 section 5.3.1: absent rather than unspecified.
  return reasonCode === 0
    ? sequence(serial, time(revokedAt))
    : sequence(serial, time(revokedAt), sequence(reasonExtension(reasonCode)));
}

function reasonExtension(code: number): Buffer {
  const known = reasons.get(code);
  if (known !== undefined) return known;
  // RFC 5280 section 5.3.1: 7 is not used, 8 is for delta lists alone.
  if (!Number.isInteger(code) || code < 0 || code > 10 || code === 7 || code === 8)
    throw new Error(`${code} is no reason for a revocation`);
  const made = extension(OID.reasonCode, false, tlv(TAG.enumerated, Buffer.of(code)));
  reasons.set(code, made);
  return made;
}

/** Whether RFC 5280 section 6.3.3 lets verifiers accept lists that this CA signs: without a key usage any. */
export function maySignCrls({ usages, certSign }: Pick<CertificateView, 'usages' | 'certSign'>): boolean {
  return certSign === undefined || usages.includes('crl sign');
}

/**
 * Signs a complete list of revoked certificates (RFC 5280 section 5) and returns its DER. By hand, since the library takes
 * 7 s of CPU for 10,000 entries and writes no number. Throws an Error if the CA may not sign lists, or if number or dates
 * can't be written.
 */
export async function signCrl(request: CrlRequest): Promise<Buffer> {
  const { ca, number, thisUpdate, nextUpdate, entries, url } = request;
  if (!maySignCrls(ca.certificate)) throw new Error(`${ca.certificate.subjectText} lacks the key usage "crl sign"`);
  if (!(thisUpdate < nextUpdate)) throw new Error('a list that ends before it begins');
  if (number < 0n || number.toString(2).length > MOST_NUMBER_BITS) throw new Error('a number of more than 20 octets');
  const { keySpec } = ca.signer;
  const tbs = sequence(
    VERSION_2,
    algorithmIdentifierFor(keySpec),
    ca.certificate.subjectDer,
    time(thisUpdate),
    time(nextUpdate),
    // RFC 5280 section 5.1.2.6: absent where there is none.
    ...(entries.length === 0 ? [] : [sequence(Buffer.concat(entries))]),
    explicit(
      0,
      sequence(
        authorityKeyIdExtension(keyIdOfCa(ca.certificate)),
        extension(OID.crlNumber, false, integer(bytesOf(number))),
        ...(url === undefined ? [] : [issuingDistributionPoint(url)]),
      ),
    ),
  );
  return sequence(tbs, algorithmIdentifierFor(keySpec), bitString(await ca.signer.sign(tbs)));
}

/** RFC 5280 section 5.2.5: critical, and the same name as in the leaves, by which a list of another place is no substitute. */
function issuingDistributionPoint(url: string): Buffer {
  return extension(OID.issuingDistributionPoint, true, sequence(distributionPointName(url)));
}

/** The extension of a leaf that says where the list of its CA is (RFC 5280 section 4.2.1.13); not critical. */
export function crlDistributionPoints(url: string): Buffer {
  return extension('2.5.29.31', false, sequence(sequence(distributionPointName(url))));
}

/** DistributionPointName is a CHOICE, so that its tag is explicit. */
function distributionPointName(url: string): Buffer {
  return explicit(0, tlv(0xa0, implicit(URI, Buffer.from(url, 'latin1'))));
}

function bytesOf(number: bigint): Buffer {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
