import {
  type AnyCertificateAuthority,
  allowsNamespace,
  authorityKey,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import * as names from '../api/names.ts';
import { isOlder, keyOf, type RawObject } from '../api/parse.ts';
import { type DecisionsOn, type Permission, permissionOf, ruleOf } from '../policy/permission.ts';
import { type Places, withPlace } from '../policy/places.ts';
import { type AuthorityView, isAuthority, type NoAuthority } from './authority-view.ts';
import { withRequest } from './client-request.ts';
import { requestIsAnother } from './decision/client-keys.ts';
import { type FallbackView, isOurs, Observed, type Protection, type Readings } from './observed.ts';
import type { Recent } from './recent.ts';
import type { RenewalSuggestion } from './renewal-suggestions.ts';
import type { NextKey } from './request/next-key.ts';
import type { RevocationView } from './revocation/view.ts';
import { type Contenders, rivalOf } from './rival.ts';
import { purposeOf, reservationOf, type SecretUse } from './secret/protection.ts';
import { authorityKeyIn } from './secret/record.ts';
import type { Seal } from './secret/seal.ts';
import { readStorePasswords } from './secret/store-passwords.ts';
import { type SecretView, viewSecret } from './secret/view.ts';

export interface ObserveDeps extends Contenders {
  /** From the cache: Secrets that carry our label. */
  cachedSecret(key: string): SecretView | undefined;
  /** From the cache: the request of a certificate whose answer is awaited. */
  nextKey(key: string): NextKey | undefined;
  recent(key: string): Recent | undefined;
  suggestion(key: string): RenewalSuggestion | undefined;
  /** What the authority of that key revokes. */
  revocation?(authority: string): RevocationView | undefined;
  readonly seal?: Seal;
  /** Past the cache: any Secret. */
  readSecret(namespace: string, name: string): Promise<RawObject | undefined>;
  /** A Secret or a ConfigMap that a ClientCertificate refers to, from a watch of its own or past the cache. */
  readReferred(namespace: string, name: string, kind?: 'Secret' | 'ConfigMap'): Promise<RawObject | undefined>;
  /** The same past every watch. */
  readReferredPast(namespace: string, name: string, kind?: 'Secret' | 'ConfigMap'): Promise<RawObject | undefined>;
  /** Has the cache keep the view of a Secret of ours that it didn't know to be needed. */
  keepView(view: SecretView): void;
  /** From the cache: whether it is certain that no Secret of that key carries our label. */
  isSecretAbsent(key: string): boolean;
  /** What authorities use the Secret of that key for. */
  usesOf(secret: string): readonly SecretUse[];
  /** From the cache. */
  authority(key: string): AnyCertificateAuthority | undefined;
  authorityView(key: string): AuthorityView | undefined;
  readonly places: Pick<Places, 'ahead'>;
  /** See Places. */
  requestRead(resource: ClientCertificate): void;
  /** See Observed. */
  readonly deniedPrefixes?: readonly string[];
  /** Whether ClusterCertificateAuthorities are served. */
  readonly clusterAuthorities: boolean;
  /** From the cache; undefined where approvals can't be trusted. */
  readonly approvals?: DecisionsOn | undefined;
  namespaceLabels(name: string): NamespaceLabels | undefined;
  /** Whether what the cache says of it may be older than what the API server holds. */
  isBehind(what: Decisive, resource: ClientCertificate): boolean;
  /** Brings the cache of it up to date by a read. Rejects where it can't be read. */
  readPast(what: Decisive, resource: ClientCertificate): Promise<void>;
}

/** What decides whether a request is permitted, and is watched. */
export type Decisive = 'authority' | 'labels' | 'approvals';

type NamespaceLabels = Readonly<Record<string, string>>;

/** All reads of a reconcile: none where the cache knows the Secret, and its key stores have passwords that are watched. */
export async function observe(stored: ClientCertificate, deps: ObserveDeps): Promise<Observed> {
  const readWith = (read: ObserveDeps['readReferred']) =>
    withRequest(stored, (kind, namespace, name) => read(namespace, name, kind));
  const seen = await observeWith(await readWith(deps.readReferred), deps);
  if (stored.spec.csr === undefined || stored.spec.csr.kind === 'inline') return seen;
  // A watch that is behind would have a certificate issued over a key that the client has replaced already.
  return requestIsAnother(seen) === undefined ? seen : observeWith(await readWith(deps.readReferredPast), deps);
}

async function observeWith(resource: ClientCertificate, deps: ObserveDeps): Promise<Observed> {
  deps.requestRead(resource);
  const authority = findAuthority(resource, deps);
  const recent = deps.recent(keyOf(resource));
  // Nothing is done for a new one before its authority is known, and that look comes with the next run.
  const isEarly = authority === 'AuthorityNotSeen' && resource.status.revision === undefined;
  const found =
    seeRival(resource, recent, deps) ??
    (isEarly ? { secret: cachedSecret(resource, deps) } : await findSecret(resource, recent, deps));
  return new Observed({
    resource,
    authority,
    permission: findPermission(resource, deps),
    lapsed: isLapsed(authority) ? deps.authorityView(referredAuthority(resource)) : undefined,
    fallback: isAuthority(authority) && authority.trouble !== undefined ? findFallback(resource, deps) : undefined,
    ...found,
    rival: rivalOf(resource, found.secret, deps),
    storePasswords: await readStorePasswords(resource, deps.readReferred),
    deniedPrefixes: deps.deniedPrefixes,
    next: deps.nextKey(keyOf(resource)),
    suggestion: deps.suggestion(keyOf(resource)),
    revocations: (authority) => deps.revocation?.(authorityKeyIn(resource.namespace, authority)),
    seal: deps.seal,
    recent,
  });
}

/** The key of the authority that a certificate refers to; one of its own namespace, or of the cluster. */
export function referredAuthority({ namespace, spec }: Pick<ClientCertificate, 'namespace' | 'spec'>): string {
  return authorityKey({ ...spec.authorityRef, namespace });
}

/** The key of the Secret that a certificate is written to. */
export function secretKeyOf({ namespace, spec }: Pick<ClientCertificate, 'namespace' | 'spec'>): string {
  return keyOf({ namespace, name: spec.secretName });
}

export function findAuthority(resource: ClientCertificate, deps: ObserveDeps): AuthorityView | NoAuthority {
  const { kind } = resource.spec.authorityRef;
  if (kind === 'ClusterCertificateAuthority' && !deps.clusterAuthorities) return 'ClusterAuthorityNotServed';
  const key = referredAuthority(resource);
  const authority = deps.authority(key);
  if (authority === undefined) return 'AuthorityNotFound';
  if (isBrokenAuthority(authority))
    return authority.code === 'ClusterAuthorityNotServed' ? authority.code : 'AuthorityNotReady';
  const { namespace } = resource;
  const allowed = allowsNamespace(authority.allowedNamespaces, namespace, deps.namespaceLabels(namespace));
  if (allowed === undefined) return 'NamespaceNotSeen';
  if (!allowed) return 'NamespaceNotAllowed';
  return deps.authorityView(key) ?? 'AuthorityNotSeen';
}

/** What the fallback of the authority, as that is stored now, may issue; undefined where it has none. */
export function findFallback(resource: ClientCertificate, deps: ObserveDeps): FallbackView | undefined {
  const there = atFallbackOf(resource, deps.authority(referredAuthority(resource)));
  return there && { resource: there, authority: findAuthority(there, deps), permission: findPermission(there, deps) };
}

/** The certificate as if it referred to the fallback of its authority; undefined where that has none. */
export function atFallbackOf(
  resource: ClientCertificate,
  authority: AnyCertificateAuthority | undefined,
): ClientCertificate | undefined {
  if (authority === undefined || isBrokenAuthority(authority) || authority.fallback === undefined) return undefined;
  const authorityRef = { ...resource.spec.authorityRef, name: authority.fallback };
  return { ...resource, spec: { ...resource.spec, authorityRef } };
}

/** As the authority is stored now: a certificate must not be issued by rules that were taken away a moment before. */
export function findPermission(resource: ClientCertificate, deps: ObserveDeps): Permission {
  const authority = deps.authority(referredAuthority(resource));
  if (authority === undefined || isBrokenAuthority(authority)) return { is: 'pending' };
  const labels = deps.namespaceLabels(resource.namespace);
  const permission = permissionOf(authority.issuancePolicy, resource, labels, deps.approvals);
  return withPlace(permission, (rule) => deps.places.ahead(resource, rule));
}

/** Reads what decides and whose watch is behind: the authority first, since its rules say what else does. */
export async function refresh(resource: ClientCertificate, deps: ObserveDeps): Promise<void> {
  const read = async (what: Decisive, decides: () => boolean) => {
    if (deps.isBehind(what, resource) && decides()) await deps.readPast(what, resource);
  };
  await read('authority', () => true);
  await read('labels', () => goesByLabels(resource, deps));
  await read('approvals', () => ruleOf(findPermission(resource, deps))?.terms.needsApproval === true);
}

/** Whether the labels of the namespace decide if the authority, or a rule of it, serves it. */
function goesByLabels(resource: ClientCertificate, deps: ObserveDeps): boolean {
  const unlabelled = { ...deps, namespaceLabels: () => undefined };
  return (
    findAuthority(resource, unlabelled) === 'NamespaceNotSeen' || findPermission(resource, unlabelled).is === 'pending'
  );
}

/** It was served, or may have been: what it holds goes on being trusted. */
function isLapsed(authority: Observed['authority']): boolean {
  return authority === 'NamespaceNotAllowed' || authority === 'NamespaceNotSeen';
}

/**
 * What there is to see where the cache knows that another resource goes first: thousands may name one Secret, and none of
 * those that have to wait reads it.
 */
function seeRival(
  resource: ClientCertificate,
  recent: Recent | undefined,
  deps: ObserveDeps,
): Pick<Readings, 'secret' | 'protection'> | undefined {
  const key = secretKeyOf(resource);
  const secret = deps.cachedSecret(key);
  // The Secret may be this resource's own, and not in the cache.
  const isKnown = secret !== undefined || (recent?.altered === undefined && deps.isSecretAbsent(key));
  if (!isKnown || rivalOf(resource, secret, deps) === undefined) return undefined;
  return { secret, protection: protectionOf(resource, secret && {}, deps) };
}

/**
 * The cache knows only what carries our label. Where it knows nothing, the Secret itself is asked before an authority
 * is: a certificate that turns out to have no place is one too many.
 */
async function findSecret(
  resource: ClientCertificate,
  recent: Recent | undefined,
  deps: ObserveDeps,
): Promise<Pick<Readings, 'secret' | 'protection'>> {
  const cached = cachedSecret(resource, deps);
  if (cached !== undefined) return { secret: cached };
  const live = await deps.readSecret(resource.namespace, resource.spec.secretName);
  const isOwnWrite = recent?.altered !== undefined && live?.metadata?.uid === recent.written?.uid;
  const secret = live && viewSecret(isOwnWrite ? withMarks(live, resource) : live);
  if (secret !== undefined && !isOwnWrite && isOurs({ resource, secret })) deps.keepView(secret);
  // What was issued before the Secret got another purpose goes on being renewed.
  return { secret, protection: isOurs({ resource, secret }) ? undefined : protectionOf(resource, live, deps) };
}

function cachedSecret(resource: ClientCertificate, deps: ObserveDeps): SecretView | undefined {
  const cached = deps.cachedSecret(secretKeyOf(resource));
  return isOurs({ resource, secret: cached }) ? cached : undefined;
}

/** A Secret of our own, from which an admission plugin took the marks on its way into the cluster. */
function withMarks(live: RawObject, { name, uid }: ClientCertificate): RawObject {
  const { labels, annotations } = live.metadata ?? {};
  const metadata = {
    ...live.metadata,
    labels: { ...labels, [names.CERTIFICATE_NAME_LABEL]: name },
    annotations: { ...annotations, [names.CERTIFICATE_UID_ANNOTATION]: uid },
  };
  return { ...live, metadata };
}

function protectionOf(
  resource: ClientCertificate,
  live: RawObject | undefined,
  deps: ObserveDeps,
): Protection | undefined {
  const { namespace, spec } = resource;
  const { secretName } = spec;
  const purpose = purposeOf(live, deps.usesOf(keyOf({ namespace, name: secretName })));
  if (purpose !== undefined) return { code: 'SecretNotOwned', reason: purpose };
  // One that came later takes no name away.
  const isFirst = (other: ReturnType<ObserveDeps['certificate']>) => other !== undefined && !isOlder(resource, other);
  const reserved = reservationOf(secretName, (name) => isFirst(deps.certificate(keyOf({ namespace, name }))));
  return reserved === undefined ? undefined : { code: 'InvalidSpec', reason: reserved };
}
