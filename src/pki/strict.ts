import type { CertificateView } from './certificate.ts';
import { keyIdOfCa } from './issue.ts';
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
  /** A sentence: what is wrong, who refuses it, and for a CA the command that mends it and keeps the key. */
  readonly message: string;
}

/** The flaws of a path, each certificate followed by its issuer, the anchor last; a leaf may come first or be left out. */
export function strictFlaws(chain: readonly CertificateView[]): readonly StrictFlaw[] {
  return chain.flatMap((certificate, index) => {
    const isAnchor = index === chain.length - 1;
    return CHECKS.filter(({ has }) => has(certificate, isAnchor)).map(({ flaw, words }) => ({
      certificate: certificate.subjectText,
      flaw,
      message: messageOf(certificate, flaw, words),
    }));
  });
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

function messageOf(certificate: CertificateView, flaw: StrictFlawKind, words: string): string {
  const { subjectText } = certificate;
  const name = subjectText === '' ? 'a certificate without a subject' : subjectText.slice(0, LONGEST);
  const refused = `${name} ${words}: Python 3.13 and later and "openssl verify -x509_strict" refuse it`;
  return MENDABLE.has(flaw) && certificate.isCA
    ? `${refused}; a certificate of the same key without such flaws is made by: ${remedy(certificate)}`
    : refused;
}

/** Those that need no other name. */
const MENDABLE: ReadonlySet<StrictFlawKind> = new Set([
  'NoKeyUsage',
  'BasicConstraintsNotCritical',
  'NoSubjectKeyId',
  'NoAuthorityKeyId',
]);

// The key id stays what the certificates below name. All other extensions stay as they are: those of the file replace
// their like. OpenSSL certifies an intermediate again only by way of a request.
function remedy(certificate: CertificateView): string {
  const { pathLength } = certificate;
  const selfSigned = isSelfSigned(certificate);
  const keyId = keyIdOfCa(certificate).toString('hex');
  const lines = [
    `basicConstraints=critical,CA:TRUE${pathLength === undefined ? '' : `,pathlen:${pathLength}`}`,
    'keyUsage=critical,keyCertSign,cRLSign',
    `subjectKeyIdentifier=${keyId}`,
    ...(selfSigned ? [] : ['authorityKeyIdentifier=keyid']),
  ];
  const file = `printf '%s\\n' ${lines.join(' ')} > ca.ext`;
  return selfSigned
    ? `${file} && openssl x509 -in ca.crt -key ca.key -days 3650 -extfile ca.ext -out new.crt`
    : `${file} && openssl x509 -x509toreq -in ca.crt -key ca.key -copy_extensions copyall -out ca.csr && openssl x509 -req -in ca.csr -CA root.crt -CAkey root.key -copy_extensions copyall -days 3650 -extfile ca.ext -out new.crt`;
}
