import { Breaker } from '../../src/authority/breaker.ts';
import { Releases } from '../../src/authority/releases.ts';
import type { Runtime } from '../../src/authority/runtime.ts';
import { NO_TRUST } from '../../src/backends/backend.ts';
import type { Clock } from '../../src/clock.ts';
import { Alternation } from '../../src/rotation/alternation.ts';

/** An authority that has just been started and has no rate limit. */
export function aRuntime({
  clock,
  ...parts
}: Pick<Runtime, 'resource' | 'definition' | 'backend'> & { readonly clock: Clock }): Runtime {
  return {
    ...parts,
    origin: 'origin',
    rateLimit: undefined,
    turnstile: undefined,
    polls: undefined,
    breaker: new Breaker(clock, undefined),
    releases: new Releases(parts.resource.caRotation.reissue),
    release: () => {},
    generations: [],
    trusted: NO_TRUST,
    stated: [],
    alternation: new Alternation(),
    untrusted: [],
    refusals: 0,
    certificates: 0,
    view: undefined,
    noticeCa: () => {},
  };
}
