import type { NewCondition } from '../api/conditions.ts';
import type { VerifierStatus } from '../api/generated/types.ts';

/** The condition VerifierAcceptsRogue, while there is such a verifier. */
export function acceptsRogue(verifiers: readonly VerifierStatus[]): NewCondition[] {
  const found = verifiers.filter(({ generations = [] }) =>
    generations.some(({ verdict }) => verdict === 'AcceptsRogue'),
  );
  if (found.length === 0) return [];
  const message = found.map(({ name, message }) => `verifier ${name}: ${message ?? ''}`).join('; ');
  return [{ type: 'VerifierAcceptsRogue', status: 'True', reason: 'VerifierAcceptsRogue', message }];
}
