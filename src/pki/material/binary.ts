import { FROM_FILES, outputOf } from './block-findings.ts';
import { type DerKind, derKind } from './der-kind.ts';
import { type Finding, mendedBy, type Want } from './error.ts';

/** Recognises bytes that are no text, by their first ones. Undefined for all others. */
export function binaryFinding(bytes: Buffer, want: Want): Finding | undefined {
  const kind = derKind(bytes);
  if (kind !== undefined) return derFinding(bytes, kind, want);
  const magic = bytes.toString('hex', 0, 4);
  if (magic === 'feedfeed') return keystore('a Java keystore (JKS)', want);
  if (magic === 'cececece') return keystore('a Java keystore (JCEKS)', want);
  const archive = ARCHIVES.find(([start]) => magic.startsWith(start));
  if (archive === undefined) return undefined;
  return { flaw: 'NotPem', what: archive[1], remedy: 'unpack it and take the PEM file in it' };
}

const ARCHIVES: readonly [string, string][] = [
  ['1f8b', 'gzip, not PEM'],
  ['504b0304', 'a zip file, not PEM'],
];

function derFinding(bytes: Buffer, kind: DerKind, want: Want): Finding {
  const out = outputOf(want);
  switch (kind) {
    case 'PKCS#12':
      return mendedBy('a PKCS#12 file', 'take what is needed out of it', 'ca.p12', fromPkcs12(bytes, want));
    case 'PKCS#7':
      if (want === 'key') return without('a PKCS#7 file, which holds no private key', 'NoKey');
      return pkcs7('DER');
    case 'certificate':
    case 'trusted certificate':
      if (want === 'key') return without('a certificate in DER, not a private key', 'NoKey');
      return mendedBy('DER, not PEM', 'convert it', 'ca.der', `openssl x509 -inform DER -in ca.der -out ${out}`);
    case 'PKCS#8':
    case 'PKCS#1':
    case 'SEC 1':
    case 'DSA':
      if (want === 'certificate') return without('a private key in DER, not a certificate', 'NotACertificate');
      return mendedBy('a private key in DER, not PEM', 'convert it', 'ca.der', KEY_FROM_DER);
    case 'encrypted PKCS#8':
      if (want === 'certificate') return without('an encrypted private key, not a certificate', 'NotACertificate');
      return mendedBy('an encrypted private key in DER', 'decrypt it', 'ca.der', KEY_FROM_DER, 'EncryptedKey');
    default:
      return strangerFinding(kind, want);
  }
}

/** Of a kind that can never be made into what is wanted. */
export function strangerFinding(kind: DerKind, want: Want): Finding {
  const noun = NOUNS[kind];
  return want === 'certificate'
    ? without(`${noun}, not a certificate`, 'NotACertificate')
    : without(`${noun}, not a private key`, 'NoKey');
}

export const NOUNS: Readonly<Record<DerKind, string>> = {
  'certificate request': 'a certificate request (CSR)',
  CRL: 'a certificate revocation list (CRL)',
  'public key': 'a public key',
  'RSA public key': 'a public key',
  certificate: 'a certificate',
  'trusted certificate': 'a certificate',
  'PKCS#7': 'a PKCS#7 file',
  'PKCS#12': 'a PKCS#12 file',
  'PKCS#8': 'a private key',
  'encrypted PKCS#8': 'an encrypted private key',
  'PKCS#1': 'a private key',
  'SEC 1': 'a private key',
  DSA: 'a private key',
};

function without(what: string, flaw: 'NotACertificate' | 'NoKey'): Finding {
  return { flaw, what, remedy: FROM_FILES };
}

const KEY_FROM_DER = 'openssl pkey -inform DER -in ca.der -out ca.key';

/** 1.2.840.113549.1.12.1.6: RC2 with 40 bits, which OpenSSL 3 reads only with -legacy. */
const RC2_40 = Buffer.from('2a864886f70d010c0106', 'hex');

function fromPkcs12(bytes: Buffer, want: Want): string {
  const legacy = bytes.includes(RC2_40) ? ' -legacy' : '';
  return `openssl pkcs12${legacy} -in ca.p12 ${want === 'certificate' ? '-nokeys' : '-nocerts -nodes'} -out ${outputOf(want)}`;
}

/** `form` as the option -inform takes it. */
export function pkcs7(form: 'DER' | 'PEM'): Finding {
  const command = `openssl pkcs7 -inform ${form} -print_certs -in ca.p7b -out ca.crt`;
  return mendedBy('a PKCS#7 file', 'take the certificates out of it', 'ca.p7b', command);
}

function keystore(what: string, want: Want): Finding {
  const convert = 'keytool -importkeystore -srckeystore ca.jks -destkeystore ca.p12 -deststoretype PKCS12';
  const command = `${convert} && ${fromPkcs12(Buffer.alloc(0), want)}`;
  return mendedBy(what, 'take what is needed out of it', 'ca.jks', command);
}
