import { parseRfc3339 } from './conditions.ts';
import { parseDuration } from './duration.ts';
import type { CARotationSpec } from './generated/types.ts';
import { ADVANCE_CA_ANNOTATION, ROLLBACK_CA_ANNOTATION, ROTATE_CA_ANNOTATION } from './names.ts';

/** How an authority goes from one CA to the next, and what people ask of that. Undefined is the default. */
export interface CARotation {
  readonly isManual: boolean;
  readonly isPaused: boolean;
  readonly soakMs: number;
  readonly propagationMs: number | undefined;
  readonly progressDeadlineMs: number | undefined;
  readonly retireAfterMs: number;
  readonly reissue: Reissue;
  readonly asked: CARotationRequests;
}

/** Of certificates of former CAs, `requests` are re-issued in `perMs`, and none while `maxFailures` of them fail, or more. */
export interface Reissue {
  readonly requests: number;
  readonly perMs: number;
  readonly maxFailures: number;
}

/** The annotations of an authority that ask for a step of its CA rotation; each with the value as it was written. */
export interface CARotationRequests {
  /** To make the next CA at that moment, once. */
  readonly rotate: Request<Date> | undefined;
  /** Never to sign with that generation again. */
  readonly rollback: Request<number> | undefined;
  /** To take the step for which a manual rotation waits. */
  readonly advance: Request<Advance> | undefined;
}

export interface Advance {
  readonly version: number;
  readonly to: 'Active' | 'Retired';
}

export interface Request<Wish> {
  readonly text: string;
  /** Undefined where the text can't be read. */
  readonly wish: Wish | undefined;
}

const DAY_MS = 24 * 3_600_000;
const LONGEST_VALUE = 64;
/** By default, such as for objects that were stored before the schema had defaults for it. */
const REISSUE: Reissue = { requests: 20, perMs: 1_000, maxFailures: 10 };

/** What stands in `spec.caRotation`, and in the annotations of the authority. */
export function caRotation(
  spec: CARotationSpec | undefined,
  annotations: Readonly<Record<string, string>> = {},
): CARotation {
  const duration = (text: string | undefined) => (text === undefined ? undefined : parseDuration(text));
  return {
    isManual: spec?.mode === 'Manual',
    isPaused: spec?.paused === true,
    soakMs: duration(spec?.soak) ?? 0,
    propagationMs: duration(spec?.propagation),
    progressDeadlineMs: duration(spec?.progressDeadline),
    retireAfterMs: duration(spec?.retireAfter) ?? DAY_MS,
    reissue: {
      requests: spec?.reissue?.requests ?? REISSUE.requests,
      perMs: duration(spec?.reissue?.per) ?? REISSUE.perMs,
      maxFailures: spec?.reissue?.maxFailures ?? REISSUE.maxFailures,
    },
    asked: {
      rotate: request(annotations[ROTATE_CA_ANNOTATION], parseRfc3339),
      rollback: request(annotations[ROLLBACK_CA_ANNOTATION], versionFrom),
      advance: request(annotations[ADVANCE_CA_ANNOTATION], advanceFrom),
    },
  };
}

function request<Wish>(text: string | undefined, read: (text: string) => Wish | undefined): Request<Wish> | undefined {
  if (text === undefined || text === '') return undefined;
  return { text: text.slice(0, LONGEST_VALUE), wish: text.length > LONGEST_VALUE ? undefined : read(text) };
}

function versionFrom(text: string): number | undefined {
  return /^[1-9][0-9]{0,6}$/.test(text) ? Number(text) : undefined;
}

function advanceFrom(text: string): Advance | undefined {
  const [, version = '', to] = /^([1-9][0-9]{0,6})\/(Active|Retired)$/.exec(text) ?? [];
  return to === undefined ? undefined : { version: Number(version), to: to as Advance['to'] };
}
