import { setTimeout as sleep } from 'node:timers/promises';
import { type Resource, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { foreignCondition } from '../../../src/authorities/kubernetes/conditions.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';
import { everyRequest, requesterOf } from './support.ts';

export type Verdict = 'Approved' | 'Denied';

/** What an approval policy would say; it is expected in the status of who asked. */
export const WORDS = 'so says the approver of the test';

const LOOK_MS = 100;

/** Approves the requests of Certwheel, as a person or a policy would. */
export interface Approver {
  /** From now on leaves the requests of this namespace to the test. */
  leave(namespace: string): void;
  decide(request: RawObject, verdict: Verdict): Promise<void>;
  stop(): Promise<void>;
}

/** `subresource` is where the API takes approvals. */
export function startApprover(world: World, resource: Resource, subresource: 'approval' | 'status'): Approver {
  const left = new Set<string>();
  let stopped = false;
  const decide = async ({ metadata, status }: RawObject, verdict: Verdict) => {
    const path = resourcePath(resource, metadata?.namespace, metadata?.name, subresource);
    const { conditions = [] } = (status ?? {}) as { conditions?: object[] };
    const lastTransitionTime = new Date().toISOString();
    const verdictItself = { type: verdict, status: 'True', reason: 'Policy', message: WORDS, lastTransitionTime };
    const body = {
      metadata: { resourceVersion: metadata?.resourceVersion },
      status: { conditions: [...conditions, verdictItself] },
    };
    await plainApi(world.cluster).send('PATCH', path, body, 'application/merge-patch+json');
  };
  const isUndecided = (request: RawObject) =>
    !left.has(requesterOf(request) ?? '') &&
    foreignCondition(request, 'Approved') === undefined &&
    foreignCondition(request, 'Denied') === undefined;
  const look = async () => {
    const undecided = (await everyRequest(world, resource)).filter(isUndecided);
    await Promise.all(undecided.map((request) => decide(request, 'Approved')));
  };
  const watching = (async () => {
    while (!stopped) {
      // A request may be gone, or the API server.
      await look().catch(() => {});
      await sleep(LOOK_MS);
    }
  })();
  return {
    leave: (namespace) => void left.add(namespace),
    decide,
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}
