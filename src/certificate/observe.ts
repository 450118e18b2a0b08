import {
  type AnyCertificateAuthority,
  allowsNamespace,
  authorityKey,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import { type BrokenClientCertificate, type ClientCertificate, isBroken } from '../api/client-certificate.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import type { NextKey } from './next-key.ts';
import type { AuthorityView, NoAuthority, Observed, Protection } from './observed.ts';
import { isOurs } from './observed.ts';
import { purposeOf, reservationOf, type SecretUse } from './protection.ts';
import { type SecretView, viewSecret } from './secret-view.ts';

export interface ObserveDeps {
  /** From the cache: Secrets that carry our label. */
  cachedSecret(key: string): SecretView | undefined;
  /** From the cache: the request of a certificate whose answer is awaited. */
  nextKey(key: string): NextKey | undefined;
  /** Past the cache: any Secret. */
  readSecret(namespace: string, name: string): Promise<RawObject | undefined>;
  /** Everyone who names this Secret. */
  rivals(namespace: string, secretName: string): readonly (ClientCertificate | BrokenClientCertificate)[];
  /** What authorities use the Secret of that key for. */
  usesOf(secret: string): readonly SecretUse[];
  /** From the cache. */
  certificate(key: string): ClientCertificate | BrokenClientCertificate | undefined;
  authority(key: string): AnyCertificateAuthority | undefined;
  authorityView(key: string): AuthorityView | undefined;
  /** False where only single namespaces are served. */
  readonly servesCluster: boolean;
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined;
}

/** All reads of a reconcile. Undefined while an authority that is there hasn't been looked at yet. */
export async function observe(resource: ClientCertificate, deps: ObserveDeps): Promise<Observed | undefined> {
  const authority = findAuthority(resource, deps);
  if (authority === undefined) return undefined;
  const { secret, protection } = await findSecret(resource, deps);
  return {
    resource,
    authority,
    secret,
    protection,
    rival: findRival(resource, secret, deps),
    next: deps.nextKey(keyOf(resource)),
  };
}

/** The key of the authority that a certificate refers to; one of its own namespace, or of the cluster. */
export function referredAuthority({ namespace, spec }: Pick<ClientCertificate, 'namespace' | 'spec'>): string {
  return authorityKey({ ...spec.authorityRef, namespace });
}

/** The key of the Secret that a certificate is written to. */
export function secretKeyOf({ namespace, spec }: Pick<ClientCertificate, 'namespace' | 'spec'>): string {
  return keyOf({ namespace, name: spec.secretName });
}

function findAuthority(resource: ClientCertificate, deps: ObserveDeps): AuthorityView | NoAuthority | undefined {
  const { kind } = resource.spec.authorityRef;
  if (kind === 'ClusterCertificateAuthority' && !deps.servesCluster) return 'ClusterAuthorityNotServed';
  const key = referredAuthority(resource);
  const authority = deps.authority(key);
  if (authority === undefined) return 'AuthorityNotFound';
  if (isBrokenAuthority(authority)) return 'AuthorityNotReady';
  const labels = deps.namespaceLabels(resource.namespace) ?? {};
  if (!allowsNamespace(authority.allowedNamespaces, resource.namespace, labels)) return 'NamespaceNotAllowed';
  return deps.authorityView(key);
}

/**
 * The cache knows only what carries our label. Where it knows nothing, the Secret itself is asked before an authority
 * is: a certificate that turns out to have no place is one too many.
 */
async function findSecret(
  resource: ClientCertificate,
  deps: ObserveDeps,
): Promise<Pick<Observed, 'secret' | 'protection'>> {
  const cached = deps.cachedSecret(secretKeyOf(resource));
  if (cached !== undefined && isOurs({ resource, secret: cached })) return { secret: cached };
  const live = await deps.readSecret(resource.namespace, resource.spec.secretName);
  const secret = live && viewSecret(live);
  // What was issued before the Secret got another purpose goes on being renewed.
  return { secret, protection: isOurs({ resource, secret }) ? undefined : protectionOf(resource, live, deps) };
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
  const isFirst = (other: ReturnType<ObserveDeps['certificate']>) => other !== undefined && age(other) <= age(resource);
  const reserved = reservationOf(secretName, (name) => isFirst(deps.certificate(keyOf({ namespace, name }))));
  return reserved === undefined ? undefined : { code: 'InvalidSpec', reason: reserved };
}

/**
 * Of two resources that name one Secret, the one that holds it goes first: it may be the younger, where the older could
 * not be issued at the time. While none holds it the older goes first, or, born in the same second, the smaller uid.
 */
function findRival(resource: ClientCertificate, secret: SecretView | undefined, deps: ObserveDeps): string | undefined {
  if (isOurs({ resource, secret })) return undefined;
  const rivals = deps.rivals(resource.namespace, resource.spec.secretName).filter(({ uid }) => uid !== resource.uid);
  const holder = rivals.find((each) => isOurs({ resource: each, secret }));
  if (holder !== undefined) return holder.name;
  // A broken one keeps the Secret that it holds, and gets no other.
  const older = rivals.filter((each) => !isBroken(each) && age(each) < age(resource));
  return older.sort((one, other) => (age(one) < age(other) ? -1 : 1))[0]?.name;
}

function age({ createdAt, uid }: { readonly createdAt: string; readonly uid: string }): string {
  return `${createdAt} ${uid}`;
}
