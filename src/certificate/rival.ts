import { type BrokenClientCertificate, type ClientCertificate, isBroken } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import { isOurs } from './observed.ts';
import type { SecretView } from './secret/view.ts';

type Resource = ClientCertificate | BrokenClientCertificate;

/** The resources that name a Secret, from the cache. */
export interface Contenders {
  certificate(key: string): Resource | undefined;
  /** Of those that name the Secret of that key, the first by their ranks. */
  firstToName(secret: string): Resource | undefined;
}

/** The key of the Secret that a resource names; one that is broken may hold its Secret still. */
export function secretNamedBy(resource: Resource): string | undefined {
  const name = isBroken(resource) ? resource.secretName : resource.spec.secretName;
  return name === undefined ? undefined : keyOf({ namespace: resource.namespace, name });
}

/** Sorts the older before the younger, of the same second the smaller uid first, and what is broken behind all others. */
export function rankOf(resource: Resource): string {
  return `${isBroken(resource) ? '~' : ''}${resource.createdAt}/${resource.uid}`;
}

/** The resource that names the Secret and whose marks that carries. */
export function holderOf(secret: SecretView | undefined, contenders: Contenders): Resource | undefined {
  if (secret?.owner === undefined) return undefined;
  const { namespace, owner } = secret;
  const found = contenders.certificate(keyOf({ namespace, name: owner.certificateName }));
  if (found === undefined || !isOurs({ resource: found, secret })) return undefined;
  return secretNamedBy(found) === keyOf(secret) ? found : undefined;
}

/** The one that goes first of those that name the Secret of that key; `secret` is what it holds. */
export function goesFirst(
  secretKey: string,
  secret: SecretView | undefined,
  contenders: Contenders,
): Resource | undefined {
  const holder = holderOf(secret, contenders);
  if (holder !== undefined) return holder;
  const oldest = contenders.firstToName(secretKey);
  // A broken one keeps the Secret that it holds, and gets no other.
  return oldest === undefined || isBroken(oldest) ? undefined : oldest;
}

/**
 * The name of the resource that goes before this one. Of several that name one Secret, the one that holds it goes first: it
 * may be the younger, where the older could not be issued at the time. While none holds it the oldest goes first.
 */
export function rivalOf(
  resource: ClientCertificate,
  secret: SecretView | undefined,
  contenders: Contenders,
): string | undefined {
  if (isOurs({ resource, secret })) return undefined;
  const first = goesFirst(keyOf({ namespace: resource.namespace, name: resource.spec.secretName }), secret, contenders);
  return first === undefined || first.uid === resource.uid ? undefined : first.name;
}
