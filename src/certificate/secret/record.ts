import { hash } from 'node:crypto';
import { authorityKey } from '../../api/certificate-authority.ts';
import type { AuthorityKind } from '../../api/client-certificate.ts';
import * as names from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { shared } from '../../api/shared.ts';
import { caKeyId } from '../../pki/ca.ts';
import { costOf } from '../../pki/signed-by.ts';
import { RecentlyUsed } from '../../recently-used.ts';
import { readMemory, shortOnly } from './annotations.ts';
import { readSecretContent, SecretContentError } from './read-content.ts';
import { holdsKey } from './secret-type.ts';
import { hashOfTrustBundle, provenView, type SecretView, trustedByAllFiles } from './view.ts';

/** What is kept of a Secret that carries our marks and that no ClientCertificate names: which CA signed what it holds. */
export interface SecretRecord {
  readonly namespace: string;
  readonly name: string;
  /** `CertificateAuthority/name`, as the Secret remembers. */
  readonly authority: string;
  readonly issuerFingerprint: string;
  readonly issuerKeyId: string;
  readonly anchorFingerprints: readonly string[];
  readonly notAfter: Date;
  readonly trustBundleHash: string;
  /** See SecretMemory. */
  readonly ledger: string;
}

/** Of a Secret that holds no certificate with our marks. */
export const NO_RECORD = Object.freeze({ authority: undefined });

export type SecretKept = SecretView | SecretRecord | typeof NO_RECORD;

export function isView(kept: SecretKept | undefined): kept is SecretView {
  return kept !== undefined && 'memory' in kept;
}

export function isRecord(kept: SecretKept | undefined): kept is SecretRecord {
  return kept !== undefined && 'issuerFingerprint' in kept;
}

/**
 * A leaf with three issuers and five roots, all of RSA-4096, stay below, in base64. For what is larger there is no record: to parse
 * it takes longer than a touch of such a Secret may.
 */
const LONGEST_DATA: Readonly<Record<string, number>> = { 'tls.crt': 12_000, 'tls.key': 6_000, 'ca.crt': 16_000 };
/** Signatures of the usual kinds, or one with P-384. In hundredths of a millisecond, see Effort. */
const USUAL_COST = 75;

type Data = NonNullable<RawObject['data']>;

type Proven = Pick<
  SecretRecord,
  'issuerFingerprint' | 'issuerKeyId' | 'anchorFingerprints' | 'notAfter' | 'trustBundleHash'
>;

/** What such Secrets were proven to hold, by the hash of their data: most are touched more often than they change. */
const proofs = new RecentlyUsed<{ readonly proven: Proven | undefined }>({ most: 4_000, mostWeight: 4_000 });

/**
 * Reduces such a Secret. A certificate whose proof takes many signatures is not counted: a tenant may write thousands of
 * them, and no ClientCertificate asked for one. `mayBeDear` is asked before a proof that takes longer than usual.
 */
export function recordSecret(
  { metadata = {}, data = {}, type }: RawObject,
  mayBeDear: () => boolean = () => true,
): SecretRecord | typeof NO_RECORD {
  const { namespace = '', name = '', labels = {}, annotations = {} } = metadata;
  const authority = shortOnly(annotations[names.AUTHORITY_ANNOTATION]);
  const isMarked = names.CERTIFICATE_NAME_LABEL in labels && names.CERTIFICATE_UID_ANNOTATION in annotations;
  const isShort = Object.entries(LONGEST_DATA).every(([key, longest]) => (data[key]?.length ?? 0) <= longest);
  if (!isMarked || authority === undefined || !isShort) return NO_RECORD;
  const proven = provenOnce(data, holdsKey(type), mayBeDear);
  return proven === undefined
    ? NO_RECORD
    : {
        namespace: shared(namespace),
        name,
        authority: shared(authority),
        ledger: readMemory(annotations).ledger,
        ...proven,
      };
}

function provenOnce(data: Data, withKey: boolean, mayBeDear: () => boolean): Proven | undefined {
  const id = hash('sha256', JSON.stringify([withKey, ...Object.keys(LONGEST_DATA).map((key) => data[key])]), 'base64');
  const known = proofs.get(id);
  if (known !== undefined) return known.proven;
  let isPutOff = false;
  const proven = prove(data, withKey, () => {
    isPutOff = !mayBeDear();
    return !isPutOff;
  });
  if (!isPutOff) proofs.set(id, { proven }, 1);
  return proven;
}

function prove(data: Data, withKey: boolean, mayBeDear: () => boolean): Proven | undefined {
  try {
    let content = readSecretContent(data, withKey, USUAL_COST);
    if ('settle' in content) {
      if (!mayBeDear()) return undefined;
      content = readSecretContent(data, withKey);
    }
    if ('settle' in content) return undefined;
    const { leaf, issuer, anchors, owedProof } = content;
    if (owedProof !== undefined && costOf(issuer) > USUAL_COST && !mayBeDear()) return undefined;
    if (owedProof?.() === false) return undefined;
    return {
      issuerFingerprint: shared(issuer.fingerprintSHA256),
      issuerKeyId: shared(caKeyId(issuer)),
      anchorFingerprints: shared(anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256)),
      notAfter: leaf.notAfter,
      trustBundleHash: hashOfTrustBundle(data),
    };
  } catch (error) {
    if (error instanceof SecretContentError) return undefined;
    throw error;
  }
}

/** The same of a view, whose ClientCertificate is gone. */
export function recordOfView(view: SecretView): SecretRecord | typeof NO_RECORD {
  const proven = provenView(view);
  const { namespace, name, certificate, memory, owner } = proven;
  if (certificate === undefined || memory.authority === undefined || owner === undefined) return NO_RECORD;
  const { issuerFingerprint, issuerKeyId, anchorFingerprints, notAfter } = certificate;
  return {
    namespace,
    name,
    authority: memory.authority,
    issuerFingerprint,
    issuerKeyId,
    anchorFingerprints,
    notAfter,
    trustBundleHash: trustedByAllFiles(proven),
    ledger: memory.ledger,
  };
}

/** The authority, by its key, whose certificate the Secret holds by what it remembers. */
export function authorityOf(kept: SecretKept): string | undefined {
  const authority = isView(kept) ? kept.owner && kept.memory.authority : kept.authority;
  if (authority === undefined || !('namespace' in kept)) return undefined;
  return shared(authorityKeyIn(kept.namespace, authority));
}

/** The key of an authority by its name, such as `CertificateAuthority/name`, as the Secrets of a namespace state it. */
export function authorityKeyIn(namespace: string, authority: string): string {
  const [kind, name = ''] = authority.split('/');
  return authorityKey({ kind: kind as AuthorityKind, namespace, name });
}
