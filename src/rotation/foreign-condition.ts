import type { NewCondition } from '../api/conditions.ts';
import { keyOf } from '../api/parse.ts';
import type { GenerationSecret } from './generation-secret.ts';

/** So many Secrets are named. */
const NAMED = 3;

/** The condition that names Secrets which claim to be CA generations of this authority, and which it did not make. */
export function foreignCondition(foreign: readonly GenerationSecret[]): NewCondition[] {
  if (foreign.length === 0) return [];
  // Each replica knows them in an order of its own.
  const newest = [...foreign].sort(
    (one, other) => other.version - one.version || (one.secret.name < other.secret.name ? -1 : 1),
  );
  const named = newest.slice(0, NAMED);
  const more = newest.length > NAMED ? `, and ${newest.length - NAMED} more` : '';
  const where = `--namespace ${named[0]?.secret.namespace} ${named.map(({ secret }) => secret.name).join(' ')}`;
  const message = `labelled as a CA generation of this authority, and not made by it: ${named.map(textOf).join(', ')}${more}; not trusted, signs nothing; see what wrote it, such as a backup, a replicator or a GitOps tool: kubectl describe secrets ${where}; if clients must trust it, see docs/install.md (Back up and restore); else delete it: kubectl delete secrets ${where}`;
  return [{ type: 'ForeignGeneration', status: 'True', reason: 'NotTrusted', message }];
}

function textOf({ secret, generation }: GenerationSecret): string {
  const fingerprint = generation?.path.certificate.fingerprintSHA256;
  return `Secret ${keyOf(secret)} (${fingerprint === undefined ? 'unreadable' : `SHA-256 ${fingerprint}`})`;
}
