import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { parseRfc3339 } from '../api/conditions.ts';
import { ADOPT_ANNOTATION, TRUST_TARGET_LABEL } from '../api/names.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import { CLOCKS_APART_MS } from '../rotation/generation.ts';
import type { Trouble } from '../trouble.ts';
import { type DesiredObject, nameOf } from './desired.ts';
import { NO_STORES } from './stores.ts';
import { readTrustedSince, type TrustedSince } from './trusted-since.ts';
import type { TargetView } from './view.ts';

type Owner = Pick<CertificateAuthority, 'kind' | 'namespace' | 'name' | 'uid'>;

/**
 * The mark that makes an object an authority's. It names the place too: programs that copy objects into other namespaces
 * copy their annotations, and such a copy is not Certwheel's to delete.
 */
export function markOf({ uid }: Pick<Owner, 'uid'>, { namespace, name }: Pick<DesiredObject, 'namespace' | 'name'>) {
  return [uid, namespace, name].join('/');
}

export function isOurs(view: TargetView, owner: Owner): boolean {
  return view.mark === markOf(owner, view);
}

export type Finding =
  | { readonly state: 'holding' }
  /** It is to be written, on the condition that it still is the object seen; undefined where there is none. */
  | { readonly state: 'write'; readonly seen: TargetView | undefined }
  | { readonly state: 'foreign'; readonly trouble: Trouble };

/** The same where an object must hold the same. */
export function contentId({ stores = NO_STORES }: Pick<DesiredObject, 'stores'>, { hash }: TrustBundle): string {
  return `${hash} ${stores.id}`;
}

/** Compares an object with what it must hold. */
export function judge(
  desired: DesiredObject,
  seen: TargetView | undefined,
  bundle: TrustBundle,
  owner: Owner,
  now: Date,
): Finding {
  if (seen === undefined) return { state: 'write', seen };
  if (!isOurs(seen, owner) && !isAdoptable(seen, owner))
    return { state: 'foreign', trouble: foreignTrouble(desired, seen, owner) };
  const isHolding =
    isOurs(seen, owner) &&
    seen.authority === authorityKey(owner) &&
    seen.hash === bundle.hash &&
    seen.stores === (desired.stores ?? NO_STORES).id &&
    [...bundle.anchors.keys()].every((each) => isDated(seen, each, now));
  return isHolding ? { state: 'holding' } : { state: 'write', seen };
}

/** A person hands it over; one that carries the labels of another authority would be taken back by that one. */
function isAdoptable({ adoptBy, authority }: TargetView, owner: Owner): boolean {
  return adoptBy === owner.name && (authority === '' || authority === authorityKey(owner));
}

/** Whether it says since when it holds a certificate, in a moment that another replica can have written. */
function isDated({ since }: TargetView, fingerprint: string, now: Date): boolean {
  const stated = readTrustedSince(since, fingerprint);
  return stated !== undefined && stated.getTime() <= now.getTime() + CLOCKS_APART_MS;
}

function foreignTrouble(desired: DesiredObject, { authority }: TargetView, owner: Owner): Trouble {
  const isOfAnother = authority !== '' && authority !== authorityKey(owner);
  return {
    code: 'TrustTargetNotOwned',
    message: isOfAnother
      ? `${nameOf(desired)} is written by ${authority}; give the target another name, or, if there is no such authority any more, take its label off with: ${kubectl('label', desired)} ${TRUST_TARGET_LABEL}-`
      : `${nameOf(desired)} exists and is not written by this authority; give the target another name, delete the object, or hand it over with: ${handOver(desired, owner)}`,
  };
}

function handOver(desired: DesiredObject, owner: Owner): string {
  return `${kubectl('annotate', desired)} ${ADOPT_ANNOTATION}=${owner.name}`;
}

function kubectl(verb: string, { kind, namespace, name }: DesiredObject): string {
  const where = namespace === '' ? '' : ` -n ${namespace}`;
  return `kubectl ${verb} ${kind.toLowerCase()}${where} ${name}`;
}

/**
 * Since when an object has held a CA certificate; undefined where it doesn't hold it now. It can't be longer than the object
 * exists, and a moment to come is now: a user of its namespace may have written the annotation.
 */
export function heldSince(view: TargetView, owner: Owner, fingerprint: string, now: Date): Date | undefined {
  if (!isOurs(view, owner) || !setOf(view.held).has(fingerprint)) return undefined;
  const stated = readTrustedSince(view.since, fingerprint);
  const created = parseRfc3339(view.createdAt);
  if (stated === undefined) return undefined;
  if (stated > now) return now;
  return created !== undefined && created > stated ? created : stated;
}

/** Objects that hold the same share the list. */
const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

function setOf(held: readonly string[]): ReadonlySet<string> {
  const known = sets.get(held) ?? new Set(held);
  sets.set(held, known);
  return known;
}

/** What the next write says of each CA certificate: what the object holds already keeps its moment. */
export function sinceAfter(seen: TargetView | undefined, bundle: TrustBundle, owner: Owner, now: Date): TrustedSince {
  const before = (fingerprint: string) => seen && heldSince(seen, owner, fingerprint, now);
  return new Map([...bundle.anchors.keys()].map((each) => [each, before(each) ?? now]));
}
