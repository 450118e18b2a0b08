import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Call, refusalText, request } from './request.ts';

export interface Traffic {
  readonly requests: number;
  /** What each failed request met. */
  readonly failures: readonly string[];
}

const LOOPS = 3;
const FEW = 40;

/**
 * Makes requests all the while that `change` runs, each over a new connection, as `call` says at that moment; whatever
 * isn't status 200 is a failure. Dozens of requests are made before and after. `change` gets a function that waits until all
 * requests that had begun before have ended.
 */
export async function underTraffic(
  call: () => Call,
  change: (settled: () => Promise<void>) => Promise<void>,
  ask: (call: Call) => Promise<Answer> = request,
): Promise<Traffic> {
  let isOver = false;
  let requests = 0;
  const failures: string[] = [];
  const loop = async () => {
    while (!isOver) {
      const outcome: Answer | Error = await ask(call()).catch((error: Error) => error);
      requests++;
      if (outcome instanceof Error || outcome.status !== 200) failures.push(refusalText(outcome));
      await sleep(5);
    }
  };
  const more = async (count: number) => {
    const enough = requests + count;
    while (requests < enough) await sleep(10);
  };
  const loops = Array.from({ length: LOOPS }, loop);
  try {
    await more(FEW);
    await change(() => more(2 * LOOPS));
    await more(FEW);
  } finally {
    isOver = true;
    await Promise.all(loops);
  }
  return { requests, failures };
}
