import type { CertificateView } from './certificate.ts';
import { keyIdOfCa } from './issue.ts';
import { readByOpenssl } from './openssl-path.ts';
import { isSelfSigned } from './signed-by.ts';

/**
 * Flaws that most verifiers let pass and that `openssl verify -x509_strict` refuses, as does Python since 3.13 by default
 * (ssl.VERIFY_X509_STRICT): RFC 5280 forbids them.
 */
export type StrictFlawKind =
  | 'NoKeyUsage'
  | 'BasicConstraintsNotCritical'
  | 'NoSubjectKeyId'
  | 'NoAuthorityKeyId'
  | 'EmptyIssuer'
  | 'EmptySubject'
  | 'EmptyAlternativeName'
  | 'AlternativeNameNotCritical'
  | 'PathLengthWithoutCa'
  | 'CertSignWithoutCa';

export interface StrictFlaw {
  /** The subject of the certificate that has it. */
  readonly certificate: string;
  readonly flaw: StrictFlawKind;
}

/** The flaws of a path, each certificate followed by its issuer, the anchor last; a leaf may come first or be left out. */
export function strictFlaws(path: readonly CertificateView[]): readonly StrictFlaw[] {
  const chain = readByOpenssl(path);
  return chain.flatMap((certificate, index) => {
    const isAnchor = index === chain.length - 1;
    return CHECKS.filter(({ has }) => has(certificate, isAnchor)).map(({ flaw }) => ({
      certificate: certificate.subjectText,
      flaw,
    }));
  });
}

/**
 * A sentence for each certificate of a CA's chain (its own first, the root last) that has flaws: what is wrong, who
 * refuses it, and the command that mends it and keeps the key.
 */
export function strictMessages(path: readonly CertificateView[]): readonly string[] {
  const chain = readByOpenssl(path);
  return chain.flatMap((certificate, index) => {
    const found = CHECKS.filter(({ has }) => has(certificate, index === chain.length - 1));
    return found.length === 0 ? [] : [messageOf(certificate, found, filesOf(index, chain.length))];
  });
}

/** The files that the commands name: those of two CAs must not be taken for each other. */
function filesOf(index: number, length: number): Files {
  if (index === 0) return { own: 'ca', issuer: length === 2 ? 'root' : 'issuer' };
  return index === length - 1 ? { own: 'root', issuer: 'root' } : { own: 'issuer', issuer: 'root' };
}

interface Files {
  readonly own: string;
  readonly issuer: string;
}

interface Check {
  readonly flaw: StrictFlawKind;
  /** A verb phrase. */
  readonly words: string;
  readonly has: (certificate: CertificateView, isAnchor: boolean) => boolean;
}

const EMPTY_NAME_LENGTH = 2;

/** check_extensions of OpenSSL's crypto/x509/x509_vfy.c, as far as its default verification doesn't refuse the same. */
const CHECKS: readonly Check[] = [
  {
    flaw: 'NoKeyUsage',
    words: 'has no key usage',
    has: ({ isCA, certSign }) => isCA && certSign === undefined,
  },
  {
    flaw: 'BasicConstraintsNotCritical',
    words: 'has basic constraints that are not critical',
    has: ({ isCA, basicConstraintsCritical }) => isCA && !basicConstraintsCritical,
  },
  {
    flaw: 'NoSubjectKeyId',
    words: 'has no subject key identifier',
    has: ({ isCA, subjectKeyId }) => isCA && subjectKeyId === undefined,
  },
  {
    flaw: 'NoAuthorityKeyId',
    words: 'has no key identifier of its issuer',
    has: ({ authorityKeyId }, isAnchor) => !isAnchor && authorityKeyId === undefined,
  },
  { flaw: 'EmptyIssuer', words: 'names no issuer', has: ({ issuerDer }) => issuerDer.length === EMPTY_NAME_LENGTH },
  { flaw: 'EmptySubject', words: 'has no subject', has: (each) => isUnnamed(each) && needsSubject(each) },
  {
    flaw: 'EmptyAlternativeName',
    words: 'has an empty subject alternative name',
    has: ({ emptyNames }) => emptyNames,
  },
  {
    flaw: 'AlternativeNameNotCritical',
    words: 'has no subject and alternative names that are not critical',
    has: (each) => isUnnamed(each) && !needsSubject(each) && !each.criticalNames,
  },
  {
    flaw: 'PathLengthWithoutCa',
    words: 'has a path length and is no CA',
    has: ({ isCA, pathLength }) => !isCA && pathLength !== undefined,
  },
  {
    flaw: 'CertSignWithoutCa',
    words: 'has the key usage "cert sign" and is no CA',
    has: ({ isCA, certSign }) => !isCA && certSign === true,
  },
];

function isUnnamed({ subjectDer }: CertificateView): boolean {
  return subjectDer.length === EMPTY_NAME_LENGTH;
}

function needsSubject({ isCA, usages, names, foreignNames, emptyNames }: CertificateView): boolean {
  const named = emptyNames || foreignNames.length > 0 || Object.values(names).some((list) => list.length > 0);
  return isCA || usages.includes('crl sign') || !named;
}

const LONGEST = 200;

function messageOf(certificate: CertificateView, found: readonly Check[], files: Files): string {
  const { subjectText } = certificate;
  const name = subjectText === '' ? 'a certificate without a subject' : subjectText.slice(0, LONGEST);
  const words = found.map((each) => each.words).join(' and ');
  const refused = `${name} ${words}: Python 3.13 and later and "openssl verify -x509_strict" refuse it`;
  return certificate.isCA && found.every(({ flaw }) => MENDABLE.has(flaw))
    ? `${refused}; replace it by the certificate of the same key that this makes: ${remedy(certificate, files)}`
    : refused;
}

/** Those that need no other name. */
const MENDABLE: ReadonlySet<StrictFlawKind> = new Set([
  'NoKeyUsage',
  'BasicConstraintsNotCritical',
  'NoSubjectKeyId',
  'NoAuthorityKeyId',
]);

/**
 * The command that makes a CA certificate of the same key and subject. The key id stays what the certificates below name.
 * All other extensions stay as they are: those of the file replace their like. OpenSSL certifies an intermediate again
 * only by way of a request.
 */
export function remedy(certificate: CertificateView, { own, issuer }: Files = { own: 'ca', issuer: 'issuer' }): string {
  const { pathLength, notBefore, notAfter } = certificate;
  const selfSigned = isSelfSigned(certificate);
  const days = Math.max(1, Math.floor((notAfter.getTime() - notBefore.getTime()) / DAY_MS));
  const lines = [
    `basicConstraints=critical,CA:TRUE${pathLength === undefined ? '' : `,pathlen:${pathLength}`}`,
    'keyUsage=critical,keyCertSign,cRLSign',
    `subjectKeyIdentifier=${keyIdOfCa(certificate).toString('hex')}`,
    ...(selfSigned ? [] : ['authorityKeyIdentifier=keyid']),
  ];
  const file = `printf '%s\\n' ${lines.join(' ')} > ${own}.ext`;
  const made = `-days ${days} -extfile ${own}.ext -out new-${own}.crt`;
  return selfSigned
    ? `${file} && openssl x509 -in ${own}.crt -key ${own}.key ${made}`
    : `${file} && openssl x509 -x509toreq -in ${own}.crt -key ${own}.key -copy_extensions copyall -out ${own}.csr && openssl x509 -req -in ${own}.csr -CA ${issuer}.crt -CAkey ${issuer}.key -copy_extensions copyall ${made}`;
}

const DAY_MS = 86_400_000;
