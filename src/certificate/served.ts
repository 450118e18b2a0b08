import type { ClientCertificate } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import { RetryableError } from '../errors.ts';
import { ruleOf } from '../policy/permission.ts';
import { authorityName, isAuthority } from './authority-view.ts';
import { refusedByAuthority } from './decision/authority-refusals.ts';
import { refusedByFallback } from './decision/fallback.ts';
import {
  atFallbackOf,
  findAuthority,
  findFallback,
  findPermission,
  type ObserveDeps,
  referredAuthority,
  refresh,
} from './observe.ts';
import { beyondLimit, refusedAnswer } from './prove.ts';
import type { UnpublishedCertificate } from './request/unpublished.ts';

/**
 * Asks all refusals of the authority again, and whether the resource is still there: between a decision and what follows from
 * it, an answer of the authority or key stores may have been awaited. `made` is that answer; it must keep within the limits of
 * now. Throws a RetryableError otherwise. What decides and whose watch is behind is read. Returns the name of the rule that
 * permits it.
 */
export async function assertServed(
  resource: ClientCertificate,
  made: UnpublishedCertificate | undefined,
  now: Date,
  deps: ObserveDeps,
): Promise<string | undefined> {
  await refresh(resource, deps);
  const current = deps.certificate(keyOf(resource));
  // Its Secret would be written after its deletion, with a key that nothing removes where the policy is Retain.
  if (current?.uid !== resource.uid || current.deleting !== undefined)
    throw new RetryableError('Conflict', 'the ClientCertificate was deleted meanwhile');
  const authority = findAuthority(resource, deps);
  const permission = findPermission(resource, deps);
  const refusal = refusedByAuthority({ resource, authority, permission }, now);
  if (refusal !== undefined) throw new RetryableError(refusal.code, `this changed meanwhile: ${refusal.message}`);
  const flaw = made && isAuthority(authority) ? beyondLimit(made, authority) : undefined;
  if (flaw !== undefined) throw refusedAnswer(flaw);
  return ruleOf(permission)?.name;
}

/**
 * The same for what a fallback signs, which is the authority of `asked`: it must be the one that is named now, since the CA of
 * another one may be trusted no more. The rules of the authority count, and those of the fallback. Returns the name of the
 * rule of the fallback.
 */
export async function assertServedByFallback(
  resource: ClientCertificate,
  made: UnpublishedCertificate | undefined,
  asked: Pick<ClientCertificate, 'spec'>,
  now: Date,
  deps: ObserveDeps,
): Promise<string | undefined> {
  await assertServed(resource, undefined, now, deps);
  const there = atFallbackOf(resource, deps.authority(referredAuthority(resource)));
  if (there === undefined || authorityName(there) !== authorityName(asked))
    throw new RetryableError(
      'Conflict',
      `the authority does not name ${authorityName(asked)} as its fallback any more`,
    );
  await refresh(there, deps);
  const fallback = findFallback(resource, deps);
  const refusal = fallback && refusedByFallback(fallback, now);
  if (fallback === undefined || refusal !== undefined)
    throw new RetryableError(
      refusal?.code ?? 'Conflict',
      `this changed meanwhile: fallback ${authorityName(there)}: ${refusal?.message}`,
    );
  const authority = findAuthority(resource, deps);
  for (const each of [authority, fallback.authority]) {
    if (made === undefined || !isAuthority(each) || !isAuthority(fallback.authority)) continue;
    const flaw = beyondLimit(made, { limits: each.limits, capabilities: fallback.authority.capabilities });
    if (flaw !== undefined) throw refusedAnswer(flaw);
  }
  return ruleOf(fallback.permission)?.name;
}
