import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import type { Credentials } from './authority.ts';
import type { RunningClient } from './client.ts';
import type { ClientStage } from './client-stage.ts';

/**
 * Asks all the while that `change` runs, with one client that lives on. `last` is the serial number that the server saw last, which
 * `serialOf` finds in its answer;
 * `more` waits for a few more requests. Answers how many were made.
 */
export async function underRequests(
  client: RunningClient,
  { port, directory }: Pick<ClientStage, 'port' | 'directory'>,
  change: (last: () => string | undefined, more: () => Promise<unknown>) => Promise<void>,
  serialOf: (body: string) => string = (body) => (JSON.parse(body) as Credentials).serial,
): Promise<number> {
  let isOver = false;
  let requests = 0;
  let last: string | undefined;
  const failures: string[] = [];
  const loop = async () => {
    while (!isOver) {
      const answer = await client.ask({ port, directory, keep: 'one' });
      requests++;
      if ('error' in answer || answer.status !== 200) failures.push(JSON.stringify(answer));
      else last = serialOf(answer.body);
    }
  };
  const running = loop();
  const more = () => {
    const enough = requests + 20;
    return eventually('twenty more requests', () => requests >= enough);
  };
  try {
    await more();
    await change(() => last, more);
    await more();
  } finally {
    isOver = true;
    await running;
  }
  assert.equal(failures, []);
  return requests;
}
