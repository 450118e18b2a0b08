import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from './certificates.ts';
import type { GuardedProcess } from './guard.ts';

const pollMs = 25;
const readyTimeoutMs = 90_000;
const shownLines = 20;

/** A program ended, or never answered, while it was starting; the message ends with the last lines of its log. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly portTaken: boolean;

  constructor(problem: string, log: LogPart) {
    const lines = log.read().trimEnd().split('\n').slice(-shownLines);
    super(`${problem}\nThe end of ${log.path}:\n  ${lines.join('\n  ')}`);
    this.portTaken = lines.some((line) => /address already in use/i.test(line));
  }
}

/** What was appended to a log since this object was made: a restart appends to the log of the start before. */
export class LogPart {
  readonly path: string;
  readonly #start: number;

  constructor(path: string) {
    this.path = path;
    this.#start = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  read(): string {
    const file = openSync(this.path, 'r');
    try {
      const buffer = Buffer.alloc(fstatSync(file).size - this.#start);
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, this.#start)).toString();
    } finally {
      closeSync(file);
    }
  }
}

/** Asks `probe` until it says yes. A probe that throws says no. */
export async function waitUntilReady(
  process: GuardedProcess,
  log: LogPart,
  probe: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  while (!(await probe().catch(() => false))) {
    const ending = process.ending();
    if (ending !== undefined) {
      const how = ending.signal ?? `exit code ${ending.code}`;
      throw new StartError(`${process.name} ended while starting (${how}).`, log);
    }
    if (performance.now() > deadline) {
      throw new StartError(`${process.name} is not ready after ${readyTimeoutMs / 1000} s.`, log);
    }
    await sleep(pollMs);
  }
}

/** On a connection of its own, so that none outlives the server it was opened to. */
export async function getStatus(url: string, caPem: string, client: Pair): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { ca: caPem, cert: client.certificatePem, key: client.keyPem, agent: false, timeout: 5000 };
  const call = request(url, options, (response) => {
    text(response).then(() => resolve(response.statusCode ?? 0), reject);
  });
  call.on('timeout', () => call.destroy(new Error(`${url} did not answer within 5 s`)));
  call.on('error', reject);
  call.end();
  return promise;
}

/** Repeats an attempt that failed because another process was quicker to take the port. */
export async function retryWhilePortTaken<Result>(attempts: number, attempt: () => Promise<Result>): Promise<Result> {
  for (let left = attempts - 1; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 0 || !(error instanceof StartError && error.portTaken)) {
        throw error;
      }
      await sleep(4 * pollMs);
    }
  }
}
