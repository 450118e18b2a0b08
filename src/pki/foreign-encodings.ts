import { messageOf } from '../thrown.ts';
import { children, type Element, expectTag, readElement, readOid } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import type { CertificateView } from './certificate.ts';
import { extensionProblem } from './foreign-extensions.ts';
import { isGoOid, nameEncodingProblem } from './foreign-names.ts';
import { NAME_FIELDS } from './san.ts';

/**
 * Why OpenSSL, Go or Java can't read a certificate that is readable here, as a sentence that names the verifier and the
 * encoding; undefined if all of them can. Where one can't, it refuses every path through the certificate.
 */
export function encodingProblem(certificate: CertificateView): string | undefined {
  try {
    return (
      keyIdsProblem(certificate) ??
      alternativeNamesProblem(certificate) ??
      usagesProblem(certificate) ??
      nameEncodingProblem(certificate.subjectDer) ??
      nameEncodingProblem(certificate.issuerDer) ??
      keyProblem(certificate) ??
      fieldsProblem(certificate.der)
    );
  } catch (error) {
    return `it can't be read again: ${messageOf(error)}`;
  }
}

function keyIdsProblem({ criticalKeyIds }: CertificateView): string | undefined {
  return criticalKeyIds
    ? 'OpenSSL and Go refuse a subject or authority key identifier that is critical (RFC 5280 sections 4.2.1.1 and 4.2.1.2)'
    : undefined;
}

function alternativeNamesProblem({ names, criticalNames, foreignNames }: CertificateView): string | undefined {
  if (criticalNames && NAME_FIELDS.every((field) => names[field].length === 0))
    return 'Go refuses a critical subject alternative name that holds no DNS name, URI, mail address or IP address';
  const unknown = foreignNames.find((kind) => kind.startsWith('GeneralName '));
  if (unknown !== undefined) return `OpenSSL refuses the unknown kind ${unknown} in the subject alternative name`;
  const uri = names.uris.find((each) => !isUriForGo(each));
  return uri === undefined
    ? undefined
    : `Go refuses the URI ${JSON.stringify(uri.slice(0, 100))} as an alternative name`;
}

// url.Parse and domainNameValid, or a little stricter.
function isUriForGo(uri: string): boolean {
  if (/[^\x21-\x7e]|%(?![0-9A-Fa-f]{2})/.test(uri)) return false;
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  if (authority === undefined) return /^(?:[A-Za-z][A-Za-z0-9+.-]*:|[^:]*$|[^:]*\/)/.test(uri);
  const host = /^(?:[^@]*@)?(\[[0-9A-Fa-f:.]*\]|[^:[\]"<>\\^`{|}]*)(?::[0-9]*)?$/.exec(authority)?.[1];
  return host !== undefined && (host === '' || host.split('.').every((label) => label !== ''));
}

function usagesProblem({ usages }: CertificateView): string | undefined {
  const long = usages.find((usage) => !isGoOid(usage));
  return long && `Go refuses the extended key usage ${long}: it reads numbers up to 2147483647`;
}

const UNCOMPRESSED = 4;

function keyProblem({ keySpec, publicKeyDer }: CertificateView): string | undefined {
  const [, bits, ...more] = children(readElement(publicKeyDer, TAG.sequence, 'public key'));
  if (more.length > 0) return 'OpenSSL and Java refuse values after the bits of the public key';
  const key = expectTag(bits, TAG.bitString, 'public key bits').content.subarray(1);
  if (keySpec?.algorithm === 'ECDSA' && key[0] !== UNCOMPRESSED)
    return 'Go and Java refuse an EC point that is compressed; "openssl ec -in ca.key -conv_form uncompressed" writes the same key without compression, and the certificate must be made anew';
  if (keySpec?.algorithm !== 'RSA') return undefined;
  const numbers = children(readElement(key, TAG.sequence, 'RSA public key'));
  return numbers.every(isPositive) ? undefined : 'Go refuses an RSA key whose numbers are negative or padded';
}

function isPositive({ content: [first = 0x80, second = 0x80] }: Element): boolean {
  return first < 0x80 && (first > 0 || second >= 0x80);
}

const SERIAL = 1;
const AFTER_KEY = 7;
const ISSUER_ID = 0x81;
const SUBJECT_ID = 0x82;
const EXTENSIONS = 0xa3;

// Of version 3, since extensions have no place in the others and those are no CAs.
function fieldsProblem(der: Buffer): string | undefined {
  const [tbs] = children(readElement(der, TAG.sequence, 'certificate'));
  const fields = tbs ? children(tbs) : [];
  if (fields[0]?.tag !== 0xa0) return undefined;
  const serial = fields[SERIAL]?.content ?? Buffer.alloc(0);
  if (serial.length > 1 && serial[0] === 0 && (serial[1] ?? 0) < 0x80)
    return 'OpenSSL and Go refuse a serial number that is padded with zeros';
  let last = 0;
  for (const field of fields.slice(AFTER_KEY)) {
    const { tag, content } = field;
    const isUniqueId = (tag === ISSUER_ID || tag === SUBJECT_ID) && content.length > 0;
    if (tag <= last || !(isUniqueId || tag === EXTENSIONS))
      return 'OpenSSL or Go refuses what stands between the public key and the extensions';
    last = tag;
    const problem = tag === EXTENSIONS ? extensionsProblem(field) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function extensionsProblem(field: Element): string | undefined {
  const [list] = children(field);
  for (const item of list ? children(list) : []) {
    const parts = children(item);
    const id = readOid(parts[0], 'extension id');
    if (!isGoOid(id)) return `Go refuses an extension of the kind ${id}: it reads numbers up to 2147483647`;
    const problem = extensionProblem(id, parts.at(-1)?.content ?? Buffer.alloc(0));
    if (problem !== undefined) return problem;
  }
  return undefined;
}
