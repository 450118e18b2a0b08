import type { ErrorCode } from '../errors.ts';
import { readable } from '../foreign-text.ts';

/** metav1.Condition, as the API conventions define it. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** RFC 3339, whole seconds. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

/** The API server refuses longer ones. */
const LONGEST_MESSAGE = 32_768;

/**
 * Brings `wanted` into the shape to be stored. The transition time moves only when the status does; conditions of
 * `owned` types that are no longer wanted go; those of other writers stay as and where they are.
 */
export function mergeConditions(
  current: readonly Condition[],
  wanted: readonly NewCondition[],
  owned: readonly string[],
  now: Date,
): Condition[] {
  const before = new Map(current.map((condition) => [condition.type, condition]));
  const ours = new Map(wanted.map((condition) => [condition.type, dated(condition, before.get(condition.type), now)]));
  const kept = current.flatMap((condition) =>
    owned.includes(condition.type) ? (ours.get(condition.type) ?? []) : condition,
  );
  return [...kept, ...[...ours.values()].filter(({ type }) => !before.has(type))];
}

function dated(condition: NewCondition, before: Condition | undefined, now: Date): Condition {
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : toRfc3339(now);
  return { ...condition, message: readable(condition.message, LONGEST_MESSAGE), lastTransitionTime };
}

/** Why a resource can't be served at all. */
export interface Broken {
  readonly problem: string;
  /** Undefined where it was stored under an older schema. */
  readonly code?: ErrorCode;
  readonly generation: number;
}

/** The conditions of a resource that can't be used; without a code it makes no sense under today's schema. */
export function whyBroken({ problem, code, generation }: Broken) {
  const message = code === undefined ? `${problem}; it was stored under an older schema, apply it again` : problem;
  const facts = { reason: code ?? 'InvalidSpec', message, observedGeneration: generation };
  return [
    { type: 'Ready', status: 'False', ...facts },
    { type: 'Stalled', status: 'True', ...facts },
  ] as const satisfies readonly NewCondition[];
}

/** The end of a sentence about an object that is being deleted. */
export function heldBy(finalizers: readonly string[]): string {
  return finalizers.length === 0 ? '' : `, which waits for the finalizers ${finalizers.join(', ')}`;
}

/** RFC 3339 in whole seconds, as Kubernetes writes metav1.Time. */
export function toRfc3339(moment: Date): string {
  return `${moment.toISOString().slice(0, 19)}Z`;
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Undefined for what is no RFC 3339 moment; `Date` alone would take `2026`, `March 7` or the 30th of February too. */
export function parseRfc3339(text: string | undefined): Date | undefined {
  const day = text === undefined ? undefined : RFC_3339.exec(text)?.[1];
  if (text === undefined || day === undefined || !isDay(day)) return undefined;
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

/** `Date` takes the 31st of each month, and makes another day of it. */
function isDay(text: string): boolean {
  // Every month has these, and the rest takes long: dozens of moments are read for each rotation.
  if (Number(text.slice(-2)) <= 28) return true;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
