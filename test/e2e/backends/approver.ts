import { CERTIFICATE_SIGNING_REQUESTS, type Resource, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { foreignCondition } from '../../../src/backends/kubernetes/conditions.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';
import { repeatedly } from './repeatedly.ts';
import { everyRequest, requesterOf } from './support.ts';

export type Verdict = 'Approved' | 'Denied';

/** What an approval policy would say; it is expected in the status of who asked. */
export const WORDS = 'so says the approver of the test';

const LOOK_MS = 100;

/** Approves the requests of Certwheel, as a person or a policy would. */
export interface Approver {
  /** From now on leaves the requests of this namespace to the test. */
  leave(namespace: string): void;
  stop(): Promise<void>;
}

/** Says yes or no to one request. */
export async function decide(
  { cluster }: World,
  resource: Resource,
  { metadata, status }: RawObject,
  verdict: Verdict,
): Promise<void> {
  const subresource = resource === CERTIFICATE_SIGNING_REQUESTS ? 'approval' : 'status';
  const path = resourcePath(resource, metadata?.namespace, metadata?.name, subresource);
  const { conditions = [] } = (status ?? {}) as { conditions?: object[] };
  const lastTransitionTime = new Date().toISOString();
  const said = { type: verdict, status: 'True', reason: 'Policy', message: WORDS, lastTransitionTime };
  const body = {
    metadata: { resourceVersion: metadata?.resourceVersion },
    status: { conditions: [...conditions, said] },
  };
  await plainApi(cluster).send('PATCH', path, body, 'application/merge-patch+json');
}

/** Says yes to every request of Certwheel, unless told to leave it. */
export function startApprover(world: World, resource: Resource): Approver {
  const left = new Set<string>();
  const isUndecided = (request: RawObject) =>
    !left.has(requesterOf(request) ?? '') &&
    foreignCondition(request, 'Approved') === undefined &&
    foreignCondition(request, 'Denied') === undefined;
  const look = async () => {
    const undecided = (await everyRequest(world, resource)).filter(isUndecided);
    await Promise.all(undecided.map((request) => decide(world, resource, request, 'Approved')));
  };
  return { leave: (namespace) => void left.add(namespace), stop: repeatedly(LOOK_MS, look) };
}
