import { hash, X509Certificate } from 'node:crypto';
import { keySpecOf } from '../../../src/pki/keys.ts';
import { standardAddress, standardIpv6 } from './address.ts';
import type { Reading } from './reading.ts';

/** What Node's X509Certificate says, of what it says without escapes. */
export function nodeFields(der: Buffer): Readonly<Record<string, unknown>> {
  const certificate = new X509Certificate(der);
  const { publicKey } = certificate;
  return {
    serialNumber: withoutZeros(certificate.serialNumber.toLowerCase()),
    notBefore: certificate.validFromDate.getTime() / 1000,
    notAfter: certificate.validToDate.getTime() / 1000,
    isCA: certificate.ca,
    extendedKeyUsage: certificate.keyUsage ?? null,
    spkiSHA256: hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex'),
    key: keyText(publicKey),
    names: namesOf(certificate.subjectAltName ?? ''),
    subjectLines: lineCount(certificate.subject),
  };
}

/** What Node has to say of a certificate that others read so. */
export function nodeExpectation(reading: Reading): Readonly<Record<string, unknown>> {
  return {
    serialNumber: withoutZeros(reading.serialNumber),
    notBefore: reading.notBefore,
    notAfter: reading.notAfter,
    // Node asks OpenSSL whether it may sign certificates, to which the key usage belongs.
    isCA: reading.isCA === true && reading.keyUsage?.includes(KEY_CERT_SIGN) !== false,
    extendedKeyUsage: reading.extendedKeyUsage,
    spkiSHA256: reading.spkiSHA256,
    key: reading.key,
    names: {
      DNS: reading.dnsNames,
      email: reading.emailAddresses,
      URI: reading.uris,
      'IP Address': reading.ipAddresses.map(standardAddress),
      others: reading.otherNames?.length,
    },
    subjectLines: reading.subjectRdns.length,
  };
}

const KEY_CERT_SIGN = 5;

function keyText(key: X509Certificate['publicKey']): string {
  const spec = keySpecOf(key);
  return spec.algorithm === 'ECDSA' ? `ECDSA P-${spec.size}` : 'size' in spec ? `RSA ${spec.size}` : spec.algorithm;
}

/** Node prints the hex of BN_bn2hex, in whole bytes; zero is 0. */
function withoutZeros(hex: string): string {
  return hex.replace(/^0+(?=.)/, '');
}

/** One line for each RDN. */
function lineCount(name: string | undefined): number {
  return name === undefined || name === '' ? 0 : name.split('\n').length;
}

const NAME = /(DNS|email|URI|IP Address|othername|DirName|Registered ID):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gy;

/** Node's list of names. A value that could be mistaken for two is in quotes, as JSON has them. */
function namesOf(text: string): Readonly<Record<string, unknown>> {
  const names: Record<'DNS' | 'email' | 'URI' | 'IP Address', string[]> = {
    DNS: [],
    email: [],
    URI: [],
    'IP Address': [],
  };
  let [others, read] = [0, 0];
  for (const [whole, kind = '', quoted = ''] of text.matchAll(NAME)) {
    read += whole.length;
    const value = quoted.startsWith('"') ? (JSON.parse(quoted) as string) : quoted;
    if (kind === 'IP Address') names[kind].push(value.includes(':') ? standardIpv6(value) : value);
    else if (kind === 'DNS' || kind === 'email' || kind === 'URI') names[kind].push(Buffer.from(value).toString('hex'));
    else others += 1;
  }
  return { ...names, others: read === text.length ? others : `unread: ${text.slice(read)}` };
}
