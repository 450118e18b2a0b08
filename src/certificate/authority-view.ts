import type { Limits } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { Capabilities } from '../backends/backend.ts';
import type { ErrorCode } from '../errors.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Constraints } from '../pki/constraints/constraints.ts';

/** An authority as a certificate sees it. */
export interface AuthorityView {
  readonly type: string;
  readonly capabilities: Capabilities;
  readonly limits: Limits;
  /** Keys of ClientCertificates whose certificate of a former generation is to be re-issued now. */
  readonly released: ReadonlySet<string>;
  /** Why nothing can be issued at this moment; undefined when it can. */
  readonly trouble: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** Since when; it begins anew with a restart. */
  readonly troubleSince?: Date | undefined;
  /** What belongs into ca.crt; empty until the trust is known. */
  readonly trust: TrustBundle;
  /** The part of it that is the authority's own, where that of a fallback comes on top; otherwise undefined. */
  readonly ownTrust?: TrustBundle | undefined;
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
  /**
   * Fingerprints of the anchors of which certificates may be published; undefined where that may be any of them. A
   * certificate of another anchor is withheld until that is shown to be trusted.
   */
  readonly usableAnchors: ReadonlySet<string> | undefined;
  /**
   * Fingerprints of the anchors that may be usable later; undefined where that isn't known. What is withheld below another one
   * is of no use.
   */
  readonly followedAnchors?: ReadonlySet<string> | undefined;
  /**
   * Where another machine alone decides which CA signs: the fingerprints of the anchors that leave, and since when the last of
   * them does. What leads to none but these is to be re-issued.
   */
  readonly leaving: { readonly anchors: ReadonlySet<string>; readonly since: Date } | undefined;
  /** See Trust.isStatedWithAnswers. */
  readonly isStatedWithAnswers: boolean;
  /** Changes with the authority itself, and with what of its backend decides about requests. */
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
  /** Whether its signatures take long; see Signer. */
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

/** `CertificateAuthority/name`, as it stands on the Secret. */
export function authorityName({ spec }: Pick<ClientCertificate, 'spec'>): string {
  return `${spec.authorityRef.kind}/${spec.authorityRef.name}`;
}

/** The CA certificates of the authority itself. */
export function ownTrustOf({ ownTrust, trust }: Pick<AuthorityView, 'ownTrust' | 'trust'>): TrustBundle {
  return ownTrust ?? trust;
}

export function isAuthority(authority: AuthorityView | NoAuthority): authority is AuthorityView {
  return typeof authority !== 'string';
}

/** The authority whose trust bundle belongs into the Secret. */
export function trustedAuthority({
  authority,
  lapsed,
}: {
  readonly authority: AuthorityView | NoAuthority;
  readonly lapsed?: AuthorityView | undefined;
}): AuthorityView | undefined {
  return isAuthority(authority) ? authority : lapsed;
}
