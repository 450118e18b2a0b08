import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, refusalText, request } from '../../../interop/support/request.ts';
import { onStop } from '../../../teardown.ts';
import { SERVER_CA } from '../../probes/verifier-world.ts';
import type { Client, Held } from './clients.ts';
import type { Verifier } from './verifiers.ts';

/** Requests of clients, each over a new connection with a full handshake. */
export interface Traffic {
  requests(): number;
  failures(): readonly string[];
  /** How many requests a verifier has answered to clients of a CA, by its subject. */
  served(verifier: string, issuer: string): number;
  /** Clients whose certificate has expired since; they make no requests. */
  ended(): readonly string[];
  stop(): Promise<void>;
}

interface Rate {
  readonly perSecond: number;
}

const AT_ONCE = 24;
/** A request is not begun with a certificate that may expire before the server verifies it. */
const LEAST_LEFT_MS = 3_000;

/** Each client goes round all verifiers, with TLS 1.2 in one round and 1.3 in the next. */
export function startTraffic(clients: readonly Client[], verifiers: readonly Verifier[], { perSecond }: Rate): Traffic {
  const failures: string[] = [];
  const served = new Map<string, number>();
  const ended = new Set<string>();
  let requests = 0;
  const one = async (client: Client, verifier: Verifier, tls: '1.2' | '1.3') => {
    const held = client.held();
    if (held.notAfter.getTime() - Date.now() < LEAST_LEFT_MS) return void ended.add(client.key);
    ended.delete(client.key);
    requests++;
    const call = { port: verifier.port, ca: SERVER_CA, client: held, tls };
    const outcome: Answer | Error = await request(call).catch((error: Error) => error);
    const wrong = wrongIn(outcome, verifier, client, held);
    const id = `${verifier.name} ${held.issuer}`;
    if (wrong === undefined) served.set(id, (served.get(id) ?? 0) + 1);
    else failures.push(describe(wrong, verifier, client, held, tls));
  };
  const pairs = clients.length * verifiers.length;
  const stop = every(1_000 / perSecond, (count) => {
    const client = clients[Math.floor(count / verifiers.length) % clients.length] as Client;
    const verifier = verifiers[count % verifiers.length] as Verifier;
    return one(client, verifier, Math.floor(count / pairs) % 2 === 0 ? '1.3' : '1.2');
  });
  return {
    requests: () => requests,
    failures: () => failures,
    served: (verifier, issuer) => served.get(`${verifier} ${issuer}`) ?? 0,
    ended: () => [...ended],
    stop,
  };
}

/** Begins `work` every so many milliseconds, unless too much of it still runs; the answer ends it and waits for what runs. */
export function every(ms: number, work: (count: number) => Promise<void>): () => Promise<void> {
  const running = new Set<Promise<void>>();
  let isOver = false;
  const loop = (async () => {
    for (let count = 0; !isOver; count++) {
      while (running.size >= AT_ONCE) await Promise.race(running);
      const begun = work(count).finally(() => running.delete(begun));
      running.add(begun);
      await sleep(ms);
    }
  })();
  return onStop(async () => {
    isOver = true;
    await loop;
    await Promise.all(running);
  });
}

/** The answer to the request counts, and not the handshake alone: the server must have seen this very certificate. */
function wrongIn(
  outcome: Answer | Error,
  { reader }: Verifier,
  { commonName }: Client,
  { serial }: Held,
): string | undefined {
  if (outcome instanceof Error || outcome.status !== 200) return refusalText(outcome);
  if (outcome.isResumed) return 'the session was resumed';
  const seen = reader.identity(outcome);
  const isRight = seen.subject.includes(commonName) && sameNumber(seen.serial, serial);
  return isRight ? undefined : `the server saw ${seen.subject}, serial number ${seen.serial}`;
}

function sameNumber(one: string | undefined, other: string): boolean {
  return one?.replace(/^0+/, '') === other.replace(/^0+/, '');
}

/** With what shows whether the client, the server or the authority is at fault. */
function describe(wrong: string, { name, given }: Verifier, client: Client, held: Held, tls: string): string {
  const now = performance.now();
  const ago = (ms: number) => `${Math.round(now - ms)} ms ago`;
  return [
    `${new Date().toISOString()} ${name} to ${client.key} over TLS ${tls}: ${wrong}`,
    `certificate ${held.serial} of ${held.issuer}, valid until ${held.notAfter.toISOString()}`,
    `seen in its Secret ${ago(held.seenMs)}, loaded ${ago(held.loadedMs)}; ${client.held().serial === held.serial ? 'still held' : 'replaced meanwhile'}`,
    `${name} was given ${given.subjects.join(' and ')} ${ago(given.atMs)}`,
  ].join('; ');
}
