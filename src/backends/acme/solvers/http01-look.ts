import { request } from 'node:http';
import { within } from '../../../abort.ts';
import { readBounded } from '../../../bounded-body.ts';
import { messageOf } from '../../../thrown.ts';
import type { BackendDeps } from '../../backend-deps.ts';
import { guardedLookup, refuseLiteral } from '../../http/address.ts';
import { RESPONDER_HEADER } from './responder-accounts.ts';

const LOOK_MS = 5_000;
const MAX_BYTES = 1_024;

/** What answers at an address. */
export interface Finding {
  readonly body?: string | undefined;
  readonly isResponder: boolean;
  /** Why there is no answer. */
  readonly problem?: string;
}

/** One request as a CA makes it, within 5 s and not redirected. Never throws but for `signal`. */
export async function lookAt(
  host: string,
  port: number,
  path: string,
  deps: Pick<BackendDeps, 'addresses' | 'name'>,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    refuseLiteral(host, deps.addresses);
    // Not in the line of the controller's namespace: tenants choose the name, and whether its name server ever answers.
    const lookup = guardedLookup(deps.addresses, `http-01 of ${deps.name}`);
    return await within(LOOK_MS, signal, async (scope) => {
      const { promise, resolve, reject } = Promise.withResolvers<Finding>();
      const call = request({ host, port, path, lookup, agent: false, signal: scope }, (answer) => {
        const isResponder = answer.headers[RESPONDER_HEADER] === 'true';
        readBounded(answer, MAX_BYTES).then(
          (body) => resolve({ body: body?.toString('utf8').trim(), isResponder }),
          reject,
        );
      });
      call.on('error', reject);
      call.end();
      return await promise;
    });
  } catch (error) {
    signal.throwIfAborted();
    return { isResponder: false, problem: messageOf(error) };
  }
}
