import { setTimeout as sleep } from 'node:timers/promises';
import { resourcePath, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { onStop } from '../../teardown.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';

/** How often another controller compares what it wants with what is there. */
const EVERY_MS = 20;

export interface Rival {
  /** How often it has written. */
  readonly writes: number;
  stop(): Promise<void>;
}

/** What another controller sends once it sees this Secret: a JSON merge patch, a deletion, or nothing. */
export type Wish = (secret: RawObject) => object | 'delete' | undefined;

/** Another controller that wants a Secret otherwise than Certwheel, and never tires. */
export function startRival(world: World, namespace: string, name: string, manager: string, wish: Wish): Rival {
  const api = plainApi(world.cluster);
  const path = resourcePath(SECRETS, namespace, name);
  let writes = 0;
  let isStopped = false;
  const look = async () => {
    const secret = await api.send<RawObject>('GET', path);
    const wished = wish(secret);
    if (wished === undefined) return;
    if (wished === 'delete') await api.send('DELETE', path);
    else await api.send('PATCH', `${path}?fieldManager=${manager}`, wished, 'application/merge-patch+json');
    writes++;
  };
  const run = async () => {
    // It isn't there, or changed at the same moment.
    for (; !isStopped; await sleep(EVERY_MS)) await look().catch(() => {});
  };
  const running = run();
  const stop = async () => {
    isStopped = true;
    await running;
  };
  onStop(stop);
  return {
    get writes() {
      return writes;
    },
    stop,
  };
}
