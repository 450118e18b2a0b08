import type { ActDeps } from './act.ts';
import { type AuthorityView, authorityName, isAuthority, ownTrustOf } from './authority-view.ts';
import type { Decision, Observed } from './observed.ts';

/**
 * The same where the fallback issues: its view in place of the authority's, with the trust bundle of the authority, which
 * holds the CA of both. What the fallback answers is proven against its own CA alone.
 */
export function atFallback(seen: Observed): Observed {
  const { authority, fallback } = seen;
  if (fallback === undefined || !isAuthority(fallback.authority) || !isAuthority(authority)) return seen;
  const { limits, ...view } = fallback.authority;
  const ownTrust = ownTrustOf(view);
  const acting: AuthorityView = {
    ...view,
    ownTrust,
    trust: authority.trust,
    limits: { ...limits, maxDurationMs: lower(limits.maxDurationMs, authority.limits.maxDurationMs) },
    // The end of the former certificate is near, so nothing is withheld.
    usableAnchors: undefined,
  };
  return seen.with({
    authority: acting,
    permission: fallback.permission,
    issuedBy: authorityName(fallback.resource),
    fallback: undefined,
  });
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** What the act is made from, and the authority that is asked: of the certificate as if it referred to that one. */
export function actingOn(seen: Observed, decision: Decision): { acting: Observed; asked: Observed['resource'] } {
  const isByFallback = decision.do === 'issue' && decision.byFallback === true && seen.fallback !== undefined;
  return isByFallback
    ? { acting: atFallback(seen), asked: seen.fallback.resource }
    : { acting: seen, asked: seen.resource };
}

export interface AssertByFallback {
  /** `assertServed` for what the fallback of the authority signs, which is that of `asked`. */
  assertServedByFallback(
    resource: Observed['resource'],
    made: Parameters<ActDeps['assertServed']>[1],
    asked: Observed['resource'],
  ): ReturnType<ActDeps['assertServed']>;
}

/** What an issuance by the fallback reaches the world by. */
export function depsAt<Deps extends Pick<ActDeps, 'assertServed' | 'noticeCa'>>(
  asked: Observed['resource'],
  deps: Deps & AssertByFallback,
): Deps {
  return {
    ...deps,
    assertServed: (resource, made) => deps.assertServedByFallback(resource, made, asked),
    noticeCa: (_resource, ca) => deps.noticeCa?.(asked, ca),
  };
}
