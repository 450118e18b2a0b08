import { answerFor, RESPONDER_HEADER } from '../backends/acme/solvers/responder-accounts.ts';
import type { Address } from '../serving/flags.ts';
import { type Limits, type Page, type PageMaker, type Port, serve } from '../serving/server.ts';
import type { AccountFolder } from './folder.ts';

/** RFC 8555 section 8.3. */
const PREFIX = '/.well-known/acme-challenge/';

/** It is open to the internet: an answer takes a millisecond, so no client needs more. */
const LIMITS: Limits = { connections: 256, requestMs: 5_000, idleMs: 5_000, responseMs: 5_000 };

/** Answers the challenges of type http-01 of all accounts. Throws StartError. */
export function serveResponder(address: Address, folder: AccountFolder): Promise<Port> {
  const challenge: PageMaker = ({ url = '', headers }) => {
    const answer = answerFor(headers.host, url.slice(PREFIX.length), folder.accounts);
    return answer === undefined ? page('no account answers for this name\n', 404) : page(answer, 200);
  };
  const health: PageMaker = () => page('ok\n', 200);
  const find = (path: string) => (path.startsWith(PREFIX) ? challenge : path === '/healthz' ? health : undefined);
  return serve('the ACME responder', address, find, { limits: LIMITS });
}

function page(body: string, status: number): Page {
  return { type: 'application/octet-stream', body, status, headers: { [RESPONDER_HEADER]: 'true' } };
}
