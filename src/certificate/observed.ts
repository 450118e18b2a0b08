import { hash } from 'node:crypto';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { ErrorCode } from '../errors.ts';
import type { Permission } from '../policy/permission.ts';
import { type AuthorityView, authorityName, isAuthority, type NoAuthority } from './authority-view.ts';
import { requestOf } from './client-request.ts';
import type { Recent } from './recent.ts';
import type { RenewalSuggestion } from './renewal-suggestions.ts';
import type { NextKey } from './request/next-key.ts';
import type { RevocationView } from './revocation/view.ts';
import type { CertificateFacts } from './secret/facts.ts';
import type { Seal } from './secret/seal.ts';
import type { StorePasswords } from './secret/store-passwords.ts';
import type { SecretView } from './secret/view.ts';

/** The authority that may issue in place of the one that a certificate refers to. */
export interface FallbackView {
  /** The ClientCertificate as if it referred to the fallback, for the checks of what the fallback may issue. */
  readonly resource: ClientCertificate;
  readonly authority: AuthorityView | NoAuthority;
  /** Whether the issuance policy of the fallback permits what is asked for. */
  readonly permission: Permission;
}

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
  /** Known only while the authority is in trouble; undefined where it has none. */
  readonly fallback?: FallbackView | undefined;
  /** The fallback, as `CertificateAuthority/name`, where `authority` is the view of that one: see atFallback. */
  readonly issuedBy?: string | undefined;
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
  /** What the authority suggests about its renewal; undefined where it suggests nothing. */
  readonly suggestion?: RenewalSuggestion | undefined;
  /** What an authority revokes, as `CertificateAuthority/name`; undefined where there is none. */
  readonly revocations?: ((authority: string) => RevocationView | undefined) | undefined;
  /** Proves which certificates of a ledger Certwheel has issued. */
  readonly seal?: Seal | undefined;
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
  readonly fallback: Readings['fallback'];
  readonly issuedBy: Readings['issuedBy'];
  readonly lapsed: Readings['lapsed'];
  readonly secret: Readings['secret'];
  readonly protection: Readings['protection'];
  readonly rival: Readings['rival'];
  readonly storePasswords: Readings['storePasswords'];
  readonly deniedPrefixes: Readings['deniedPrefixes'];
  readonly next: Readings['next'];
  readonly suggestion: Readings['suggestion'];
  readonly revocations: Readings['revocations'];
  readonly seal: Readings['seal'];
  readonly recent: Readings['recent'];
  readonly #ours: SecretView | undefined;
  readonly #revision: number;

  constructor(readings: Readings) {
    const { resource, secret } = readings;
    this.resource = resource;
    this.authority = readings.authority;
    this.permission = readings.permission;
    this.fallback = readings.fallback;
    this.issuedBy = readings.issuedBy;
    this.lapsed = readings.lapsed;
    this.secret = secret;
    this.protection = readings.protection;
    this.rival = readings.rival;
    this.storePasswords = readings.storePasswords;
    this.deniedPrefixes = readings.deniedPrefixes;
    this.next = readings.next;
    this.suggestion = readings.suggestion;
    this.revocations = readings.revocations;
    this.seal = readings.seal;
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

  /** What its authority revokes. */
  get revocation(): RevocationView | undefined {
    return this.revocations?.(authorityName(this.resource));
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
  'Revoked',
] as const;
export type RotationReason = (typeof ROTATION_REASONS)[number];

export type Decision =
  /** All is well, or nothing can be done; look again at `recheckAt`. */
  | { readonly do: 'settle'; readonly recheckAt: Date | undefined }
  /** Get a certificate and publish it. */
  | {
      readonly do: 'issue';
      readonly reason: RotationReason;
      readonly message: string;
      /** Of the fallback, in place of the authority. */
      readonly byFallback?: true;
    }
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

/**
 * What a request is for: the same as long as its answer is of use. With another spec, another authority or a later
 * revision it is another, whatever else has changed.
 */
function wantedOf(resource: ClientCertificate, revision: number, { origin }: AuthorityView): string {
  const { uid, spec } = resource;
  const { identity, key, durationMs } = spec;
  const request = requestOf(spec);
  const parts = [uid, revision + 1, authorityName(resource), origin, identity, key, durationMs];
  if (request !== undefined) parts.push(request.fingerprintSHA256);
  return hash('sha256', JSON.stringify(parts)).slice(0, 32);
}
