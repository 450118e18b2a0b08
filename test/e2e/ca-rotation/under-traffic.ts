/** An authority whose CA is rotated while its clients shake hands all the time. */
import * as assert from 'uvu/assert';
import type { AuthorityStatus, CAGeneration } from '../../../src/api/generated/types.ts';
import { ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { messageOf } from '../../../src/thrown.ts';
import { createMembers, startTraffic } from '../authority/traffic.ts';
import { patchAuthority } from '../support/edits.ts';
import { eventually, PATIENCE_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { authorityStatusOf } from '../support/objects.ts';
import type { Pair } from '../support/openssl.ts';
import type { World } from '../support/world.ts';

export const CLIENTS = ['alice', 'bob'] as const;

/** The authority `ca` of a namespace, with a server and clients under traffic. */
export async function underTraffic(
  world: World,
  namespace: string,
  spec: Record<string, unknown> = {},
  serverIdentity?: Pair,
) {
  await createMembers(world, namespace, CLIENTS, '1m', spec);
  const traffic = await startTraffic(world, namespace, CLIENTS, serverIdentity);
  const status = () => authorityStatusOf(world, namespace, 'ca');
  return {
    world,
    namespace,
    status,
    annotate: (key: string, value: string | null) =>
      patchAuthority(world, namespace, 'ca', { metadata: { annotations: { [key]: value } } }),
    /** Asks for the next CA, later than the second in which the first was made. */
    rotate: async () => {
      await untilNextSecond();
      const annotations = { [ROTATE_CA_ANNOTATION]: new Date().toISOString() };
      await patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
    },
    setSpec: (spec: object) => patchAuthority(world, namespace, 'ca', { spec }),
    configure: (caRotation: object) => patchAuthority(world, namespace, 'ca', { spec: { caRotation } }),
    /** Waits until the generations, from version 1 on, are in these states. */
    until: async (...states: readonly CAGeneration['state'][]) => {
      let found: AuthorityStatus = {};
      const isSo = async () => {
        found = await status();
        return statesOf(found).join() === states.join() && found;
      };
      return eventually(`the generations are ${states}`, isSo, 2 * PATIENCE_MS).catch((error: unknown) => {
        throw new Error(`${messageOf(error)}; they are ${statesOf(found)}: ${JSON.stringify(found.caRotation)}`);
      });
    },
    /** Waits until that request is in that state. */
    answered: (key: string, state: string) =>
      eventually(`${key} is ${state}`, async () => {
        const found = (await status()).caRotation?.requests?.find(({ annotation }) => annotation === key);
        return found?.state === state && found;
      }),
    /** Ends the traffic, after enough of it that what was loaded late could fail. */
    end: async () => {
      const before = traffic.handshakes();
      await eventually('there is traffic', () => traffic.handshakes() > before + 100);
      await traffic.stop();
      assert.equal(traffic.failures(), []);
    },
  };
}

export function statesOf({ generations = [] }: AuthorityStatus): CAGeneration['state'][] {
  return [...generations].sort((one, other) => one.version - other.version).map(({ state }) => state);
}
