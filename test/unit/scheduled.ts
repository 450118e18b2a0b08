/** Certificates and wishes for tests of the schedule. */
import fc from 'fast-check';
import {
  grantedLife as lifeOf,
  type Schedule,
  schedule as scheduleOf,
  type Validity,
  type Wish,
} from '../../src/certificate/decision/schedule.ts';
import { after, NOW, SECOND } from './builders.ts';

export const wholeSeconds = (least: number, most: number) =>
  fc.integer({ min: least / SECOND, max: most / SECOND }).map((seconds) => seconds * SECOND);
export const identity = fc.record({ uid: fc.uuid(), serialNumber: fc.stringMatching(/^[0-9a-f]{2,32}$/) });

export function issued(lifeMs: number, serialNumber = '0a', backdatedMs = 0): Validity {
  return { serialNumber, notBefore: after(-backdatedMs), notAfter: after(lifeMs) };
}

export function wish(durationMs: number, renewBefore?: Wish['renewBefore'], uid = 'uid-1'): Wish {
  return { uid, durationMs, renewBefore };
}

/** Of certificates that nothing is remembered of. */
const UNKNOWN = { issuedAt: undefined, now: NOW };
export const schedule = (certificate: Validity, wished: Wish) => scheduleOf(certificate, wished, UNKNOWN);
export const grantedLife = (certificate: Validity, durationMs: number) => lifeOf(certificate, durationMs, UNKNOWN);

/** How far into the life that began at NOW it is due. */
export function dueIn({ due }: Schedule): number {
  return due.getTime() - NOW.getTime();
}

/** The span from start to due before the jitter: the latest of many, since jitter only brings forward. */
export function latestOfMany(certificate: Validity, wished: Omit<Wish, 'uid'>): number {
  const all = Array.from({ length: 2000 }, (_, index) => dueIn(schedule(certificate, { ...wished, uid: `u${index}` })));
  return Math.max(...all);
}
