import type { Limits } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { Capabilities } from '../backends/backend.ts';
import type { ErrorCode } from '../errors.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Constraints } from '../pki/constraints/constraints.ts';
import type { RuleInNamespace } from './decision/policy.ts';
import type { Recent } from './recent.ts';
import type { NextKey } from './request/next-key.ts';
import type { SecretView } from './secret/view.ts';

/** An authority as a certificate sees it. */
export interface AuthorityView {
  readonly type: string;
  readonly capabilities: Capabilities;
  readonly limits: Limits;
  /** Why nothing can be issued at this moment; undefined when it can. */
  readonly trouble: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** What belongs into ca.crt; empty until the trust is known. */
  readonly trust: TrustBundle;
  /** See Trust. */
  readonly intermediates: readonly CertificateView[];
  /** What belongs into tls.crt behind a leaf, where Certwheel holds the CA key; empty for a root, which verifiers have. */
  readonly issuers: readonly CertificateView[];
  /** What the CA that signs forbids its clients, where Certwheel holds the CA key; undefined for nothing. */
  readonly constraints: Constraints | undefined;
  /**
   * The CA generation behind each issuing certificate, for authorities whose CA key Certwheel holds. Several of them sign
   * where a CA was renewed and kept its key.
   */
  readonly generations: ReadonlyMap<string, { readonly version: number; readonly signs: boolean }>;
  /** Changes with what stands under the backend key of the authority, and with the authority itself. */
  readonly origin: string;
  /** The generation that signs. */
  readonly signing: SigningView | undefined;
}

/** The CA generation that signs, as a certificate sees it. */
export interface SigningView {
  readonly version: number;
  readonly since: Date;
  /** The first end in its chain. */
  readonly notAfter: Date;
  readonly fingerprintSHA256: string;
  /** idOfChain of AuthorityView.issuers. */
  readonly issuersId: string;
  /** Whether its signatures take long; see signsSlowly. */
  readonly isSlow: boolean;
}

/** Why a reference to an authority leads nowhere. */
export type NoAuthority =
  | 'AuthorityNotFound'
  /** It is there, and the first look at it hasn't come to an end. */
  | 'AuthorityNotSeen'
  | 'AuthorityNotReady'
  | 'ClusterAuthorityNotServed'
  | 'NamespaceNotAllowed'
  /** It serves namespaces by their labels, and those of this one are not known yet. */
  | 'NamespaceNotSeen';

/** What else a Secret is for, as the rest of a sentence that begins with its name. */
export interface Protection {
  readonly code: 'SecretNotOwned' | 'InvalidSpec';
  readonly reason: string;
}

/** All that a decision is made from: read once, never changed. */
export interface Observed {
  readonly resource: ClientCertificate;
  readonly authority: AuthorityView | NoAuthority;
  /** The issuance rules of the authority; undefined where it asks for none. */
  readonly rules: readonly RuleInNamespace[] | undefined;
  /** The authority where it doesn't serve this namespace any more: what it has issued goes on being trusted. */
  readonly lapsed?: AuthorityView | undefined;
  /** The Secret of that name; another may own it. Undefined where there is none. */
  readonly secret: SecretView | undefined;
  /** Why a Secret of that name is not for this certificate, whatever a person has written onto it. */
  readonly protection?: Protection | undefined;
  /** The ClientCertificate that names the same Secret, and goes first. */
  readonly rival: string | undefined;
  /** Beginnings of keys that its template may not name (--denied-template-prefixes). */
  readonly deniedPrefixes?: readonly string[] | undefined;
  /** A request of which the answer is awaited, or was no; also one that is of no use any more. */
  readonly next?: NextKey | undefined;
  /** What was done about it lately; undefined where that is long ago, or was before a restart. */
  readonly recent?: Recent | undefined;
}

/** Why a certificate is published. A metric label; never renamed. */
export const ROTATION_REASONS = [
  'FirstIssue',
  'Due',
  'SpecChanged',
  'AuthorityChanged',
  'CARotated',
  'SecretRepaired',
  'RenewAt',
] as const;
export type RotationReason = (typeof ROTATION_REASONS)[number];

export type Decision =
  /** All is well, or nothing can be done; look again at `recheckAt`. */
  | { readonly do: 'settle'; readonly recheckAt: Date | undefined }
  /** Get a certificate and publish it. */
  | { readonly do: 'issue'; readonly reason: RotationReason; readonly message: string }
  /** Write the Secret anew around the certificate that it holds. */
  | { readonly do: 'repair'; readonly message: string }
  /** A certificate is needed, but something else must change first. */
  | { readonly do: 'wait'; readonly code: ErrorCode; readonly message: string; readonly recheckAt: Date | undefined }
  /** Not as the spec stands. */
  | { readonly do: 'refuse'; readonly code: ErrorCode; readonly message: string };

/** An issuance or a repair. */
export type Act = Extract<Decision, { do: 'issue' | 'repair' }>;

/** The Secret is ours when both its label and its annotation say so; one alone is chance or forgery. */
export function isOurs({
  resource,
  secret,
}: {
  readonly resource: { readonly name: string; readonly uid: string };
  readonly secret: SecretView | undefined;
}): boolean {
  return secret?.owner?.certificateName === resource.name && secret.owner.certificateUid === resource.uid;
}

/** Written for a resource of the same name that is no more, such as before a restore from a backup. */
export function isOfEarlier({ resource, secret }: Pick<Observed, 'resource' | 'secret'>): boolean {
  return secret?.owner?.certificateName === resource.name && secret.owner.certificateUid !== resource.uid;
}

/** Handed over by a person, who named this very ClientCertificate on it. */
export function isAdoptable({ resource, secret }: Pick<Observed, 'resource' | 'secret'>): boolean {
  return secret?.adoptBy === resource.name;
}

/** `CertificateAuthority/name`, as it stands on the Secret. */
export function authorityName({ spec }: Pick<ClientCertificate, 'spec'>): string {
  return `${spec.authorityRef.kind}/${spec.authorityRef.name}`;
}

export function isAuthority(authority: Observed['authority']): authority is AuthorityView {
  return typeof authority !== 'string';
}

/** The authority whose trust bundle belongs into the Secret. */
export function trustedAuthority({
  authority,
  lapsed,
}: Pick<Observed, 'authority' | 'lapsed'>): AuthorityView | undefined {
  return isAuthority(authority) ? authority : lapsed;
}

/** The revision that the Secret holds, or held when it was last seen. */
export function lastRevision({ resource, secret }: Pick<Observed, 'resource' | 'secret'>): number {
  const kept = isOurs({ resource, secret }) ? (secret?.memory.revision ?? 0) : 0;
  return Math.max(kept, resource.status.revision ?? 0);
}
