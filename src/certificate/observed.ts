import { hash } from 'node:crypto';
import type { Limits } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { Capabilities } from '../backends/backend.ts';
import type { ErrorCode } from '../errors.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Constraints } from '../pki/constraints/constraints.ts';
import type { Permission } from '../policy/permission.ts';
import type { Recent } from './recent.ts';
import type { NextKey } from './request/next-key.ts';
import type { CertificateFacts } from './secret/facts.ts';
import type { StorePasswords } from './secret/store-passwords.ts';
import type { SecretView } from './secret/view.ts';

/** An authority as a certificate sees it. */
export interface AuthorityView {
  readonly type: string;
  readonly capabilities: Capabilities;
  readonly limits: Limits;
  /** Keys of ClientCertificates whose certificate of a former generation is to be re-issued now. */
  readonly released: ReadonlySet<string>;
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
  /**
   * Fingerprints of the anchors of which certificates may be published; undefined where that may be any of them. A
   * certificate of another anchor is withheld until that is shown to be trusted.
   */
  readonly usableAnchors: ReadonlySet<string> | undefined;
  /**
   * Where another machine alone decides which CA signs: the fingerprints of the anchors that leave, and since when the last of
   * them does. What leads to none but these is to be re-issued.
   */
  readonly leaving: { readonly anchors: ReadonlySet<string>; readonly since: Date } | undefined;
  /** See Trust.isStatedWithAnswers. */
  readonly isStatedWithAnswers: boolean;
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

/** What else a Secret is for, as the rest of a sentence that begins with its name. */
export interface Protection {
  readonly code: 'SecretNotOwned' | 'InvalidSpec';
  readonly reason: string;
}

/** What is read of a ClientCertificate, and of what it refers to. */
export interface Readings {
  readonly resource: ClientCertificate;
  readonly authority: AuthorityView | NoAuthority;
  /** Whether the issuance policy of the authority permits what is asked for. */
  readonly permission: Permission;
  /** The authority where it doesn't serve this namespace any more: what it has issued goes on being trusted. */
  readonly lapsed?: AuthorityView | undefined;
  /** The Secret of that name; another may own it. Undefined where there is none. */
  readonly secret: SecretView | undefined;
  /** Why a Secret of that name is not for this certificate, whatever a person has written onto it. */
  readonly protection?: Protection | undefined;
  /** The ClientCertificate that names the same Secret, and goes first. */
  readonly rival: string | undefined;
  /** Those of its key stores; undefined where it has none. */
  readonly storePasswords?: StorePasswords | undefined;
  /** Beginnings of keys that its template may not name (--denied-template-prefixes). */
  readonly deniedPrefixes?: readonly string[] | undefined;
  /** A request of which the answer is awaited, or was no; also one that is of no use any more. */
  readonly next?: NextKey | undefined;
  /** What was done about it lately; undefined where that is long ago, or was before a restart. */
  readonly recent?: Recent | undefined;
}

/**
 * All that a decision is made from: what was read, and what follows from it. Never changed. What follows are accessors,
 * so that the type of a copy with other readings lacks them.
 */
export class Observed implements Readings {
  readonly resource: Readings['resource'];
  readonly authority: Readings['authority'];
  readonly permission: Permission;
  readonly lapsed: Readings['lapsed'];
  readonly secret: Readings['secret'];
  readonly protection: Readings['protection'];
  readonly rival: Readings['rival'];
  readonly storePasswords: Readings['storePasswords'];
  readonly deniedPrefixes: Readings['deniedPrefixes'];
  readonly next: Readings['next'];
  readonly recent: Readings['recent'];
  readonly #ours: SecretView | undefined;
  readonly #revision: number;

  constructor(readings: Readings) {
    const { resource, secret } = readings;
    this.resource = resource;
    this.authority = readings.authority;
    this.permission = readings.permission;
    this.lapsed = readings.lapsed;
    this.secret = secret;
    this.protection = readings.protection;
    this.rival = readings.rival;
    this.storePasswords = readings.storePasswords;
    this.deniedPrefixes = readings.deniedPrefixes;
    this.next = readings.next;
    this.recent = readings.recent;
    this.#ours = isOurs(readings) ? secret : undefined;
    this.#revision = Math.max(this.#ours?.memory.revision ?? 0, resource.status.revision ?? 0);
  }

  /** The same with other readings. */
  with(readings: Partial<Readings>): Observed {
    return new Observed({ ...this, ...readings });
  }

  /** The Secret, where both of its marks say that it belongs to this ClientCertificate. */
  get ours(): SecretView | undefined {
    return this.#ours;
  }

  /** The certificate that the Secret holds; a Secret that is not for this ClientCertificate is refused before it counts. */
  get held(): CertificateFacts | undefined {
    return this.secret?.certificate;
  }

  /** The revision that the Secret holds, or held when it was last seen; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  /** What a request of today is for, see `wantedOf`; undefined while there is no authority. Hashed when it is asked for. */
  get wanted(): string | undefined {
    return isAuthority(this.authority) ? wantedOf(this.resource, this.#revision, this.authority) : undefined;
  }
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
  | {
      readonly do: 'refuse';
      readonly code: ErrorCode;
      readonly message: string;
      /** When to ask again, where the answer may be another without any event. */
      readonly recheckAt?: Date;
    };

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

/**
 * What a request is for: the same as long as its answer is of use. With another spec, another authority or a later
 * revision it is another, whatever else has changed.
 */
function wantedOf(resource: ClientCertificate, revision: number, { origin }: AuthorityView): string {
  const { uid, spec } = resource;
  const { identity, key, durationMs } = spec;
  const parts = [uid, revision + 1, authorityName(resource), origin, identity, key, durationMs];
  return hash('sha256', JSON.stringify(parts)).slice(0, 32);
}
