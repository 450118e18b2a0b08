import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../support/eventually.ts';
import type { CaFiles } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { type Swap, startSwap } from './swap.ts';

const PATHS = {
  'a second swap while the first goes into every ca.crt': async (swap: Swap) => {
    await swap.put(swap.cas.v2);
    await untilState(swap, 2, 'Prepared');
    await swap.put(swap.cas.v3);
    return swap.cas.v3;
  },
  'a second swap while certificates of the first are re-issued': async (swap: Swap) => {
    await swap.put(swap.cas.v2);
    await untilState(swap, 1, 'Retiring');
    await swap.put(swap.cas.v3);
    return swap.cas.v3;
  },
  'a swap that is taken back before the new CA signs': async (swap: Swap) => {
    await swap.put(swap.cas.v2);
    await untilState(swap, 2, 'Prepared');
    await swap.put(swap.cas.v1);
    return swap.cas.v1;
  },
  'a swap that is taken back after the new CA has signed': async (swap: Swap) => {
    await swap.put(swap.cas.v2);
    await untilState(swap, 1, 'Retiring');
    await eventually('it has signed', () => swap.history.states.some(({ issuer }) => issuer === 'v2'));
    await swap.put(swap.cas.v1);
    return swap.cas.v1;
  },
};

type Path = keyof typeof PATHS;

// Time enough for a test on a busy machine to act between two steps.
const flags = ['--trust-propagation', '5s'];
/** All swaps at the same time, since most of their time is waiting. */
const scene = oneScene({ authority: false, flags }, async ({ world }) => {
  const swaps = await Promise.all(
    (Object.keys(PATHS) as Path[]).map(async (path) => [path, await startSwap(world, { clients: ['alice'] })] as const),
  );
  return { swaps: new Map(swaps.map(([path, swap]) => [path, { swap, last: PATHS[path](swap) }])) };
});
test.after(scene.stop);

for (const path of Object.keys(PATHS) as Path[]) {
  test(`${path} fails no handshake and ends with the CA that was put there last`, async () => {
    const { swaps } = await scene.get();
    const { swap, last } = swaps.get(path) as { swap: Swap; last: Promise<CaFiles> };
    const wanted = await last;
    await swap.untilOnly(wanted);
    const before = swap.traffic.handshakes();
    await eventually('there is traffic at the end, and enough in all', () => {
      const handshakes = swap.traffic.handshakes();
      return handshakes > before + 30 && handshakes > 100;
    });
    await swap.stop();
    assert.equal(swap.traffic.failures(), []);
    for (const { issuer, trusted } of swap.history.states)
      assert.ok(trusted.includes(issuer), `a certificate of ${issuer} beside a ca.crt of ${trusted}`);
  });
}

function untilState(swap: Swap, version: number, state: string): Promise<true> {
  return eventually(`generation ${version} is ${state}`, async () => {
    const found = (await swap.status()).generations?.find((each) => each.version === version);
    return found?.state === state || undefined;
  });
}

test.run();
