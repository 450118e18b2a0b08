import { BOOKS_LABEL, RESPONDER_KEYS_LABEL, REVOCATIONS_OF_LABEL } from '../../api/books-names.ts';
import {
  ACME_ACCOUNT_OF_LABEL,
  AUTHORITY_KIND_LABEL,
  AUTHORITY_NAME_LABEL,
  CA_REQUEST_OF_LABEL,
  CERTIFICATE_NAME_LABEL,
  CERTIFICATE_UID_ANNOTATION,
  FALLBACK_OF_LABEL,
  LEDGER_OF_LABEL,
  NEXT_OF_LABEL,
  TRUST_SOURCES_OF_LABEL,
} from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { parsePem } from '../../pki/pem.ts';

/** What an authority uses a Secret for. */
export interface SecretUse {
  /** `CertificateAuthority payments`. */
  readonly authority: string;
  /** The field of its spec that names the Secret. */
  readonly field: string;
}

/** The names of CA generations, of ledgers, of registers of revocations, of ACME accounts, of what sources of trust, or a fallback, stated last, and of keys of CAs to come. */
const AUTHORITYS_NAME = /-(cluster)?ca-(v[1-9]\d*|ledger|sources|acme-account|fallback|request|revocations)$/;
const NEXT_SUFFIX = '-next';

/**
 * What a Secret is for, where that is anything but a certificate, as the rest of a sentence that begins with its name: such
 * a Secret is never adopted, overwritten or offered for deletion, whatever a person has written onto it. `object` is
 * undefined where there is no Secret of that name yet.
 */
export function purposeOf(object: RawObject | undefined, uses: readonly SecretUse[]): string | undefined {
  return marked(object) ?? used(object, uses) ?? (holdsCA(object) ? 'holds a CA certificate' : undefined);
}

/** What is known of a Secret whose name is needed for something else; undefined for one that is not Certwheel's. */
export function occupation(object: RawObject, purpose: string | undefined): string | undefined {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  const certificate = labels[CERTIFICATE_NAME_LABEL];
  const isMarked = certificate !== undefined && annotations[CERTIFICATE_UID_ANNOTATION] !== undefined;
  return purpose ?? (isMarked ? `was written for ClientCertificate ${certificate}` : undefined);
}

/** Why a name can't be that of a certificate's Secret, as such a rest of a sentence. */
export function reservationOf(name: string, isCertificate: (name: string) => boolean): string | undefined {
  if (AUTHORITYS_NAME.test(name)) return 'has a name that is reserved for what Certwheel keeps of authorities';
  const certificate = name.endsWith(NEXT_SUFFIX) ? name.slice(0, -NEXT_SUFFIX.length) : undefined;
  return certificate !== undefined && isCertificate(certificate)
    ? `is where Certwheel keeps the key of ClientCertificate ${certificate} while its authority answers`
    : undefined;
}

function marked(object: RawObject | undefined): string | undefined {
  const { labels = {} } = object?.metadata ?? {};
  const authority = labels[AUTHORITY_NAME_LABEL];
  if (authority !== undefined)
    return `holds a CA generation of ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${authority}`;
  const ledgerOf = labels[LEDGER_OF_LABEL];
  if (ledgerOf !== undefined)
    return `keeps the ledgers of ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${ledgerOf}`;
  const sourcesOf = labels[TRUST_SOURCES_OF_LABEL];
  if (sourcesOf !== undefined)
    return `keeps what the trust sources of ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${sourcesOf} served last`;
  const accountOf = labels[ACME_ACCOUNT_OF_LABEL];
  if (accountOf !== undefined)
    return `keeps the ACME account of ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${accountOf}`;
  const fallbackOf = labels[FALLBACK_OF_LABEL];
  if (fallbackOf !== undefined)
    return `keeps the CA certificates of the fallback of ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${fallbackOf}`;
  const requestOf = labels[CA_REQUEST_OF_LABEL];
  if (requestOf !== undefined)
    return `keeps the key of the next CA of ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${requestOf}`;
  const revocationsOf = labels[REVOCATIONS_OF_LABEL];
  if (revocationsOf !== undefined)
    return `keeps what ${labels[AUTHORITY_KIND_LABEL] ?? 'the authority'} ${revocationsOf} revokes`;
  if (labels[BOOKS_LABEL] !== undefined) return 'keeps the key of the books of Certwheel';
  if (labels[RESPONDER_KEYS_LABEL] !== undefined)
    return 'holds the keys for OCSP answers of the responder of Certwheel';
  const waiting = labels[NEXT_OF_LABEL];
  return waiting === undefined ? undefined : `keeps the key of ClientCertificate ${waiting}, which awaits an answer`;
}

function used(object: RawObject | undefined, uses: readonly SecretUse[]): string | undefined {
  const [use] = uses.filter(({ field }) => object !== undefined || !mayBeOfCertificate(field));
  if (use === undefined) return undefined;
  const what = use.field === 'secret' ? 'the CA' : isTrustBundle(use.field) ? 'a trust bundle' : 'credentials';
  return `${object === undefined ? 'is to hold' : 'holds'} ${what} of ${use.authority} (spec.${use.field})`;
}

/**
 * Whether such a Secret may be made for a ClientCertificate: the bundle of a CA of Certwheel's own is to be had from no
 * other, and a certificate to log in with is renewed by Certwheel where it is one of Certwheel's.
 */
function mayBeOfCertificate(field: string): boolean {
  return isTrustBundle(field) || /^(vault[.]auth[.]cert|stepCA[.]provisioner[.]x5c)[.]secretRef$/.test(field);
}

function isTrustBundle(field: string): boolean {
  return /trustBundle/.test(field);
}

/** An authority that refers to it may come later, or be gone: its key is as dear. */
function holdsCA(object: RawObject | undefined): boolean {
  try {
    const [first] = parsePem(Buffer.from(object?.data?.['tls.crt'] ?? '', 'base64').toString('latin1'));
    return first !== undefined && parseCertificate(first).isCA;
  } catch {
    return false;
  }
}
