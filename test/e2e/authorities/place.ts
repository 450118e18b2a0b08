import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { authorityStatusOf, conditionOf } from '../support/objects.ts';
import { eventually } from '../support/world.ts';
import type { Place, Shared, Spec, Subject } from './subject.ts';

/** A namespace of its own with the authority `ca` in it, which is Ready. */
export async function readyAuthority(shared: Shared, { type }: Pick<Subject, 'type'>, url?: string): Promise<Place> {
  const where = await place(shared);
  await createAuthority(where, type, await shared.served.prepare(where, url));
  await untilAuthority(where, 'True');
  return where;
}

/** To open a provisioner's key takes half a second of work, and a machine may have many to open. */
const WAIT_MS = 60_000;

/** Waits for the authority's Ready condition, and answers it. */
export function untilAuthority({ world, namespace }: Place, status: 'True' | 'False', withinMs = WAIT_MS) {
  return eventually(
    `the authority in ${namespace} is Ready=${status}`,
    async () => {
      const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready');
      return found?.status === status && found;
    },
    withinMs,
  );
}

/** A namespace of its own. */
export async function place({ world }: Shared): Promise<Place> {
  return { world, namespace: await world.namespace() };
}

/** The authority `ca`, of which only the backend matters. */
export async function createAuthority({ world, namespace }: Place, type: string, spec: Spec): Promise<void> {
  await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'ca' }, spec: { [type]: spec } });
}
