import { GROUP, type Resource, VERSION } from '../api/names.ts';
import type { Fields } from '../api/unknown-fields.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../log.ts';
import { missingFields } from './crd-fields.ts';

/** A CRD that was just applied shows in the schemas a moment later, on each API server at its own time. */
const TRIES = 10;
const PAUSE_MS = 1_000;

/** So many fields are named; the rest is counted. */
const NAMED = 3;

/**
 * CRDs that are older than the controller, as after an upgrade without them or after a rollback, would drop fields that it
 * writes. Answers one line with the remedy. A cluster that doesn't show its schemas to us isn't checked.
 */
export async function problemWithSchemas(
  client: KubeClient,
  kinds: readonly Resource[],
  log: Logger,
  clock: Clock,
): Promise<string | undefined> {
  for (let left = TRIES - 1; ; left -= 1) {
    const found = await findMissing(client, kinds);
    if (found === 'fine') return undefined;
    const mayPass = found instanceof ApiError ? found.status === 404 : true;
    if (left === 0 || !mayPass) {
      if (!(found instanceof ApiError)) return problemText(found);
      log.warn('whether the CRDs are as new as the controller was not checked', { error: found.message });
      return undefined;
    }
    await clock.sleep(PAUSE_MS);
  }
}

interface Missing {
  readonly crd: string;
  readonly fields: readonly string[];
}

async function findMissing(client: KubeClient, kinds: readonly Resource[]): Promise<'fine' | Missing | ApiError> {
  try {
    const schemas = await client.schemas<Fields>(GROUP, VERSION, { timeoutMs: 10_000 });
    for (const resource of kinds) {
      const fields = missingFields(resource, schemas.get(resource.kind) ?? {});
      if (fields.length > 0) return { crd: `${resource.plural}.${resource.group}`, fields };
    }
    return 'fine';
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function problemText({ crd, fields }: Missing): string {
  const more = fields.length > NAMED ? ` and ${fields.length - NAMED} more` : '';
  return `the CRD ${crd} is older than this controller: it lacks ${fields.slice(0, NAMED).join(', ')}${more}; apply the CRDs of this release: kubectl apply --server-side --force-conflicts -f crds/`;
}
