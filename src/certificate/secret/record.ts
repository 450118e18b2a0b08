import { authorityKey } from '../../api/certificate-authority.ts';
import type { AuthorityKind } from '../../api/client-certificate.ts';
import * as names from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { shared } from '../../api/shared.ts';
import { readSecretContent, SecretContentError } from './content.ts';
import { shortOnly } from './memory.ts';
import { hashOfTrustBundle, type SecretView } from './view.ts';

/** What is kept of a Secret that carries our marks and that no ClientCertificate names: who signed what it holds. */
export interface SecretRecord {
  readonly namespace: string;
  readonly name: string;
  /** `CertificateAuthority/name`, as the Secret remembers. */
  readonly authority: string;
  readonly issuerFingerprint: string;
  readonly anchorFingerprints: readonly string[];
  readonly notAfter: Date;
  readonly trustBundleHash: string;
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
 * Reduces such a Secret. A certificate whose proof takes many signatures is not counted: anybody may write thousands of
 * them, and nobody asked for one.
 */
export function recordSecret({ metadata = {}, data }: RawObject): SecretRecord | typeof NO_RECORD {
  const { namespace = '', name = '', labels = {}, annotations = {} } = metadata;
  const authority = shortOnly(annotations[names.AUTHORITY_ANNOTATION]);
  const isMarked = names.CERTIFICATE_NAME_LABEL in labels && names.CERTIFICATE_UID_ANNOTATION in annotations;
  if (!isMarked || authority === undefined) return NO_RECORD;
  try {
    const content = readSecretContent(data);
    if ('settle' in content || content.owedProof?.() === false) return NO_RECORD;
    const { leaf, issuer, anchors } = content;
    return {
      namespace: shared(namespace),
      name,
      authority: shared(authority),
      issuerFingerprint: shared(issuer.fingerprintSHA256),
      anchorFingerprints: shared(anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256)),
      notAfter: leaf.notAfter,
      trustBundleHash: hashOfTrustBundle(data),
    };
  } catch (error) {
    if (error instanceof SecretContentError) return NO_RECORD;
    throw error;
  }
}

/** The same of a view, whose ClientCertificate is gone. */
export function recordOfView(view: SecretView): SecretRecord | typeof NO_RECORD {
  const { namespace, name, certificate, memory, owner, trustBundleHash } = view;
  if (certificate === undefined || memory.authority === undefined || owner === undefined) return NO_RECORD;
  const { issuerFingerprint, anchorFingerprints, notAfter } = certificate;
  return {
    namespace,
    name,
    authority: memory.authority,
    issuerFingerprint,
    anchorFingerprints,
    notAfter,
    trustBundleHash,
  };
}

/** The authority, by its key, whose certificate the Secret holds by what it remembers. */
export function authorityOf(kept: SecretKept): string | undefined {
  const authority = isView(kept) ? kept.owner && kept.memory.authority : kept.authority;
  if (authority === undefined || !('namespace' in kept)) return undefined;
  const [kind, name = ''] = authority.split('/');
  return shared(authorityKey({ kind: kind as AuthorityKind, namespace: kept.namespace, name }));
}
