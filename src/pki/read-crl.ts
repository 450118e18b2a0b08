import { children, type Element, elements, expectTag, readElement, readOid, readTime } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { type CertificateView, verifySignature } from './certificate.ts';
import { signatureName } from './signature.ts';

/** What a list says of one certificate. */
export interface ListedRevocation {
  readonly revokedAt: Date;
  /** Of RFC 5280 section 5.3.1; 0 where the list says none. */
  readonly reasonCode: number;
}

/** A list of revoked certificates (RFC 5280 section 5). Nothing in it has been verified. */
export interface CrlView {
  readonly der: Buffer;
  /** AlgorithmIdentifier (DER). */
  readonly algorithm: Buffer;
  readonly issuerDer: Buffer;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Undefined where it has none, which RFC 5280 forbids. */
  readonly number: bigint | undefined;
  readonly size: number;
  /** By lower-case hex of even length without a sign octet, as CertificateView has it; undefined for one that isn't listed. */
  find(serialNumber: string): ListedRevocation | undefined;
}

const OID = { crlNumber: '2.5.29.20', reasonCode: '2.5.29.21' } as const;

/**
 * Reads a list (DER), also one of 100,000 entries: an entry is decoded when it is asked for. Throws an Error for what is
 * malformed or has no nextUpdate.
 */
export function readCrl(der: Buffer): CrlView {
  const [tbs, algorithm, signature, ...more] = children(readElement(der, TAG.sequence, 'list'));
  if (signature === undefined || more.length > 0) throw new Error('a list that is not of three parts');
  const rest = children(expectTag(tbs, TAG.sequence, 'TBSCertList'));
  if (rest[0]?.tag === TAG.integer) rest.shift();
  expectTag(rest.shift(), TAG.sequence, 'signature algorithm');
  const issuer = expectTag(rest.shift(), TAG.sequence, 'issuer');
  const thisUpdate = readTime(rest.shift(), 'thisUpdate');
  const nextUpdate = readTime(rest.shift(), 'nextUpdate');
  const revoked = rest[0]?.tag === TAG.sequence ? rest.shift() : undefined;
  const offsets = offsetsOf(revoked);
  return {
    der,
    algorithm: expectTag(algorithm, TAG.sequence, 'signature algorithm').bytes,
    issuerDer: issuer.bytes,
    thisUpdate,
    nextUpdate,
    number: numberOf(rest[0]),
    size: offsets.size,
    find: (serialNumber) => {
      const at = offsets.get(serialNumber);
      return at === undefined || revoked === undefined ? undefined : readEntry(revoked, at);
    },
  };
}

/** Whether that CA has signed the list. Never throws. */
export function isCrlOf({ der, issuerDer, algorithm }: CrlView, ca: CertificateView): boolean {
  const signatureAlgorithm = signatureName(algorithm);
  return (
    signatureAlgorithm !== undefined &&
    issuerDer.equals(ca.subjectDer) &&
    verifySignature({ der, signatureAlgorithm }, ca)
  );
}

/** Where each entry begins, by serial number: a decoded entry takes ten times the memory. */
function offsetsOf(list: Element | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  if (list === undefined) return found;
  let at = 0;
  for (const entry of elements(list)) {
    const [serial] = children(expectTag(entry, TAG.sequence, 'entry'));
    const { content } = expectTag(serial, TAG.integer, 'serial number');
    found.set(content.subarray(content[0] === 0 && content.length > 1 ? 1 : 0).toString('hex'), at);
    at += entry.bytes.length;
  }
  return found;
}

function readEntry({ tag, content }: Element, at: number): ListedRevocation {
  const [, date, extensions] = children(elements({ tag, content: content.subarray(at) }).next().value as Element);
  const reason = extensionIn(extensions, OID.reasonCode);
  return {
    revokedAt: readTime(date, 'revocationDate'),
    reasonCode: reason === undefined ? 0 : (readElement(reason, TAG.enumerated, 'reason').content[0] ?? 0),
  };
}

function numberOf(tagged: Element | undefined): bigint | undefined {
  if (tagged?.tag !== 0xa0) return undefined;
  const value = extensionIn(children(tagged)[0], OID.crlNumber);
  if (value === undefined) return undefined;
  const { content } = readElement(value, TAG.integer, 'number of the list');
  return BigInt(`0x${content.toString('hex') || '0'}`);
}

function extensionIn(list: Element | undefined, dotted: string): Buffer | undefined {
  if (list === undefined) return undefined;
  for (const each of children(expectTag(list, TAG.sequence, 'extensions'))) {
    const parts = children(expectTag(each, TAG.sequence, 'extension'));
    if (readOid(parts[0], 'extension') === dotted) return expectTag(parts.at(-1), TAG.octetString, 'extension').content;
  }
  return undefined;
}
