import { hash } from 'node:crypto';
import { type AuthorityView, authorityName, lastRevision, type Observed } from '../observed.ts';

/**
 * What a request is for: the same as long as its answer is of use. With another spec, another authority or a later
 * revision it is another, whatever else has changed.
 */
export function wantedOf(
  seen: Pick<Observed, 'resource' | 'secret'>,
  { origin }: Pick<AuthorityView, 'origin'>,
): string {
  const { uid, spec } = seen.resource;
  const { identity, key, durationMs } = spec;
  const parts = [uid, lastRevision(seen) + 1, authorityName(seen.resource), origin, identity, key, durationMs];
  return hash('sha256', JSON.stringify(parts)).slice(0, 32);
}
