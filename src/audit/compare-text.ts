import { readable } from '../foreign-text.ts';
import type { Comparison, Difference } from './compare.ts';
import { holderOf } from './who.ts';

/** The differences and their numbers as lines for people. */
export function comparisonText(comparison: Comparison): string[] {
  const { listed, published, lost, unknown, unpublished, missing, altered } = comparison;
  const hasPins = lost.length > 0;
  return [
    ...lost.map((each) => `answer lost: ${each.serial}: requested ${whoseAndWhen(each)}`),
    ...unpublished.map((each) => `never published: ${each.serial}: signed ${whoseAndWhen(each)}`),
    ...unknown.map((serial) => `not in the log: ${serial}`),
    ...missing.map((each) => `not at the CA: ${each.serial}: ${each.told.event} ${whoseAndWhen(each)}`),
    ...(altered > 0 ? [`lines that were altered and are left out: ${altered}; see certwheel audit verify`] : []),
    ...(unknown.length > 0 && !hasPins
      ? ['no request was matched: that needs the key pin behind each serial number, and lines with the event requested']
      : []),
    `${listed} at the CA: ${published} published, ${unpublished.length} never published, ${lost.length} with a lost answer, ${unknown.length} not in the log; ${missing.length} in the log and not at the CA`,
  ];
}

/** Longer than a namespace and a name. */
const LONGEST_HOLDER = 1_024;

function whoseAndWhen({ told: { time, namespace, name, uid } }: Difference): string {
  return readable(`for ${holderOf(namespace, name, uid)}, at ${time}`, LONGEST_HOLDER);
}
