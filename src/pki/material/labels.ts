import { NOUNS, pkcs7 } from './binary.ts';
import { FROM_FILES, outputOf, quoted } from './block-findings.ts';
import type { DerKind } from './der-kind.ts';
import { type Finding, mendedBy } from './error.ts';

/** RFC 7468 section 5.1 and the label that OpenSSL reads too. */
export function isCertificateLabel(label: string): boolean {
  return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE';
}

export function isPrivateKeyLabel(label: string): boolean {
  return label.endsWith('PRIVATE KEY');
}

/** Blocks that stand beside keys and certificates in files of web servers, and that hold neither. */
export function isParametersLabel(label: string): boolean {
  return label.endsWith(' PARAMETERS');
}

const PKCS7_LABELS = new Set(['PKCS7', 'CMS', 'PKCS #7 SIGNED DATA']);

const KIND_OF_LABEL: Readonly<Record<string, DerKind>> = {
  'CERTIFICATE REQUEST': 'certificate request',
  'NEW CERTIFICATE REQUEST': 'certificate request',
  'X509 CRL': 'CRL',
  'PUBLIC KEY': 'public key',
  'RSA PUBLIC KEY': 'RSA public key',
  'EC PUBLIC KEY': 'public key',
  'ENCRYPTED PRIVATE KEY': 'encrypted PKCS#8',
};

/** A block where only certificates may be; `among` says that there are certificates beside it. */
export function notACertificate(label: string, among: boolean): Finding {
  if (label === 'TRUSTED CERTIFICATE') return trusted(among);
  if (PKCS7_LABELS.has(label)) return { ...pkcs7('PEM'), flaw: 'NotACertificate' };
  return strayBlock(nounOf(label), among);
}

export function strayBlock(noun: string, among: boolean): Finding {
  const what = `${noun}, not a certificate`;
  if (!among) return { flaw: 'NotACertificate', what, remedy: FROM_FILES };
  return mendedBy(what, 'keep the certificates alone', 'ca.txt', CERTIFICATES_ALONE, 'NotACertificate');
}

const CERTIFICATES_ALONE = `sed -n '/BEGIN \\(X509 \\)*CERTIFICATE-/,/END \\(X509 \\)*CERTIFICATE-/p' ca.txt > ca.crt`;

// `openssl x509` reads the first certificate of a file and no other.
export function trusted(among: boolean): Finding {
  const command = among
    ? 'openssl crl2pkcs7 -nocrl -certfile trusted.crt | openssl pkcs7 -print_certs -out ca.crt'
    : 'openssl x509 -in trusted.crt -out ca.crt';
  const what = "a certificate in OpenSSL's own form (TRUSTED CERTIFICATE)";
  return mendedBy(what, 'convert it', 'trusted.crt', command, 'NotACertificate');
}

/** The first block of a text without a private key. */
export function notAKey(label: string): Finding {
  const noun = isCertificateLabel(label) || label === 'TRUSTED CERTIFICATE' ? 'a certificate' : nounOf(label);
  return { flaw: 'NoKey', what: `${noun}, not a private key`, remedy: FROM_FILES };
}

function nounOf(label: string): string {
  const kind = Object.hasOwn(KIND_OF_LABEL, label) ? KIND_OF_LABEL[label] : undefined;
  if (kind !== undefined) return NOUNS[kind];
  if (PKCS7_LABELS.has(label)) return NOUNS['PKCS#7'];
  return isPrivateKeyLabel(label) ? 'a private key' : `a block ${quoted(label)}`;
}

export function encryptedKey(): Finding {
  const how = `decrypt it with: step crypto change-pass encrypted.key --out ${outputOf('key')} --no-password --insecure`;
  return mendedBy(
    'an encrypted private key',
    `${how}, or`,
    'encrypted.key',
    `openssl pkey -in encrypted.key -out ${outputOf('key')}`,
    'EncryptedKey',
  );
}

/** Tools go by the label, so it has to be put right first. */
export function encryptedUnderPlainLabel(): Finding {
  const command =
    `sed 's/ [A-Z ]*PRIVATE KEY/ ENCRYPTED PRIVATE KEY/' ca.txt > encrypted.key && ` +
    'openssl pkey -in encrypted.key -out ca.key';
  const what = 'an encrypted private key under the label of a plain one';
  return mendedBy(what, 'decrypt it', 'ca.txt', command, 'EncryptedKey');
}

/** ssh-keygen leaves an Ed25519 key in its own form, whatever form its -m option names. */
export function opensshKey(content: Buffer): Finding {
  const what = 'a private key in the form of OpenSSH';
  const ed25519 = 'step crypto key format openssh.key --pem --pkcs8 --no-password --insecure --out ca.key';
  const [input, command] = content.includes('ssh-ed25519')
    ? ['openssh.key', ed25519]
    : ['ca.key', 'ssh-keygen -p -N "" -m PKCS8 -f ca.key'];
  return mendedBy(what, 'convert it', input, command, 'UnreadableKey');
}
