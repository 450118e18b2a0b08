import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import type { ObjectKind } from '../api/trust-targets.ts';
import type { Clock } from '../clock.ts';
import { ApiError, RetryableError } from '../errors.ts';
import { fieldAltered } from '../kube/difference.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { Trouble } from '../trouble.ts';
import { type ClusterObject, nameOf } from './desired.ts';
import { isOurs, judge } from './judge.ts';
import { type TargetManifest, targetManifest } from './manifest.ts';
import type { TargetView } from './view.ts';

/** The API server, and the caches of what it holds. */
export interface TargetAccess {
  get(object: Pick<ClusterObject, 'kind' | 'namespace' | 'name'>): Promise<RawObject | undefined>;
  apply(kind: ObjectKind, manifest: TargetManifest): Promise<RawObject>;
  /** On the condition that it still is this object. */
  remove(view: TargetView): Promise<void>;
  view(kind: ObjectKind, object: RawObject): TargetView;
  /** Takes in what was written or read; `replaces` is the version that the write demanded. */
  put(kind: ObjectKind, object: RawObject, replaces?: string): void;
  /** Whether a namespace is being deleted, or is gone. Reads it, since the cache of namespaces holds labels alone. */
  isEnding(namespace: string, signal: AbortSignal): Promise<boolean>;
  /** What a Secret is for, where that is anything but a trust bundle; see purposeOf. */
  purposeOf(secret: RawObject): string | undefined;
  /** Why a Secret of that name can't be a target, as the rest of a sentence; see reservationOf. */
  reservationOf(object: ClusterObject): string | undefined;
}

const WRITE_ATTEMPTS = 4;

/**
 * One server-side apply, on the condition that the object still is what was seen. After a lost race, or where something of
 * that name wasn't in the cache, the object itself is read. Answers why it was not written; throws what the API server says.
 */
export async function writeTarget(
  resource: CertificateAuthority,
  desired: ClusterObject,
  bundle: TrustBundle,
  seen: TargetView | undefined,
  deps: { readonly access: TargetAccess; readonly clock: Clock; assertOwned(): void },
): Promise<Trouble | undefined> {
  const { access, clock, assertOwned } = deps;
  const reserved = desired.kind === 'Secret' ? access.reservationOf(desired) : undefined;
  if (reserved !== undefined)
    return {
      code: 'TrustTargetRefused',
      message: `${nameOf(desired)} ${reserved}; give the target another name`,
    };
  let current = seen;
  for (let attempt = 1; ; attempt++) {
    const protectedBy = await protection(desired, current, resource, access);
    if (protectedBy !== undefined) return protectedBy;
    const manifest = targetManifest(resource, desired, bundle, current, clock.now());
    try {
      assertOwned();
      const stored = await access.apply(desired.kind, manifest);
      access.put(desired.kind, stored, manifest.metadata.resourceVersion);
      return alteredTrouble(desired, fieldAltered(manifest, stored));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || attempt === WRITE_ATTEMPTS) throw error;
    }
    const live = await access.get(desired);
    current = live && access.view(desired.kind, live);
    const finding = judge(desired, current, bundle, resource, clock.now());
    if (live !== undefined) access.put(desired.kind, live);
    if (finding.state === 'foreign') return finding.trouble;
    // Another replica was faster.
    if (finding.state === 'holding') return undefined;
    if (current?.isBeingDeleted)
      throw new RetryableError('Conflict', `${nameOf(desired)} is being deleted, and is written once it is gone`);
  }
}

/** A Secret that is handed over may hold a key that something else needs, whatever a person has written onto it. */
async function protection(
  desired: ClusterObject,
  current: TargetView | undefined,
  resource: CertificateAuthority,
  access: TargetAccess,
): Promise<Trouble | undefined> {
  if (desired.kind !== 'Secret' || current === undefined || isOurs(current, resource)) return undefined;
  const live = await access.get(desired);
  const purpose = live && access.purposeOf(live);
  return purpose === undefined
    ? undefined
    : { code: 'TrustTargetNotOwned', message: `${nameOf(desired)} ${purpose}; give the target another name` };
}

/** Admission plugins may change an object on its way, and the API server answers success. */
function alteredTrouble(desired: ClusterObject, field: string | undefined): Trouble | undefined {
  if (field === undefined) return undefined;
  return {
    code: 'TrustTargetRefused',
    message: `${nameOf(desired)}: ${field} is stored otherwise than it was sent; a mutating admission plugin or webhook changes it`,
  };
}
