/**
 * When something happened, by the timestamp of the program that did it. A test process learns of it later, on a busy machine
 * much later, so a promise about speed can't be judged by the time at which the test saw the result.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { ISSUED_AT_ANNOTATION } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import type { LogLine } from './controller-process.ts';

const SECOND_MS = 1_000;

interface ManagedFields {
  readonly time?: string;
  readonly subresource?: string;
}

/** Until the next second begins: a timestamp in whole seconds (creation, renew-at) is then later than any before. */
export async function untilNextSecond(): Promise<void> {
  const next = Math.floor(Date.now() / SECOND_MS + 1) * SECOND_MS;
  // A timer may fire a millisecond early.
  while (Date.now() < next) await sleep(next - Date.now() + 1);
}

/** When a version of an object was written, by the API server, rounded down to whole seconds. */
export function writtenAt({ metadata }: RawObject): Date {
  const fields = (metadata as { managedFields?: readonly ManagedFields[] } | undefined)?.managedFields ?? [];
  const times = fields.map(({ time = '' }) => Date.parse(time));
  if (times.length === 0) throw new Error(`${metadata?.name} has no managedFields, which say when it was written`);
  return new Date(Math.max(...times));
}

/** When the certificate of a Secret was issued, by Certwheel. */
export function issuedAt({ metadata }: RawObject): Date {
  return new Date(metadata?.annotations?.[ISSUED_AT_ANNOTATION] ?? Number.NaN);
}

/** When a line was logged, by the process that logged it. */
export function loggedAt(line: LogLine | undefined): Date {
  return new Date(String(line?.timestamp));
}

/**
 * Fails if this version of an object came more than `withinMs` after `fromMs`, both by the timestamp of the API server (to
 * the second) and by the time at which the polling test saw it.
 */
export function provesSoon(what: string, object: RawObject, fromMs: number, withinMs: number): void {
  const seenMs = Date.now() - fromMs;
  const writtenMs = writtenAt(object).getTime() - Math.floor(fromMs / SECOND_MS) * SECOND_MS;
  const tookMs = Math.min(seenMs, writtenMs);
  assert.ok(tookMs <= withinMs, `${what}: after ${tookMs} ms, and not within ${withinMs} ms`);
}
