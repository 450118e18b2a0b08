import type { RawObject } from '../api/parse.ts';
import type { Place } from './line.ts';

/** How far the segment of one process was written, as the cluster knows it. */
export interface Checkpoint extends Place {
  /** RFC 3339: when it was noted. */
  readonly time: string;
}

/** The segments that are kept; those that were noted longest ago are dropped. */
export const MOST_CHECKPOINTS = 100;

const SEGMENT = /^[0-9a-f]{16}$/;
const HASH = /^[0-9a-f]{64}$/;

/** What the data of the ConfigMap says; entries that make no sense are left out. */
export function readCheckpoints({ data }: Pick<RawObject, 'data'>): readonly Checkpoint[] {
  return Object.entries(data ?? {}).flatMap(([segment, text]) => readCheckpoint(segment, text) ?? []);
}

function readCheckpoint(segment: string, text: unknown): Checkpoint | undefined {
  try {
    const { seq, hash, time } = JSON.parse(String(text)) as Record<string, unknown>;
    const isPlace = typeof seq === 'number' && Number.isSafeInteger(seq) && typeof hash === 'string' && HASH.test(hash);
    if (!isPlace || typeof time !== 'string' || !SEGMENT.test(segment)) return undefined;
    return { segment, seq, hash, time };
  } catch {
    return undefined;
  }
}

/** The data of the ConfigMap with one more, in place of the former one of its segment. */
export function withCheckpoint(present: readonly Checkpoint[], newest: Checkpoint): Readonly<Record<string, string>> {
  const others = present
    .filter(({ segment }) => segment !== newest.segment)
    .sort((one, other) => (one.time < other.time ? 1 : -1))
    .slice(0, MOST_CHECKPOINTS - 1);
  return Object.fromEntries(
    [newest, ...others].map(({ segment, seq, hash, time }) => [segment, JSON.stringify({ seq, hash, time })]),
  );
}
