import type { TrustStatus } from '../api/generated/types.ts';
import type { EventText } from '../certificate/status/events.ts';

/** Each trouble of a target once, when it begins. */
export function troubleEvents(before: TrustStatus | undefined, after: TrustStatus | undefined): EventText[] {
  const former = new Map((before?.targets ?? []).map((each) => [each.name, each.waiting?.[0]?.reason]));
  return (after?.targets ?? []).flatMap(({ name, objects, holding, waiting }) => {
    const [first] = waiting ?? [];
    if (first === undefined || first.reason === 'TrustTargetPending' || former.get(name) === first.reason) return [];
    const note = `target ${name}: ${objects - holding} of ${objects} objects wait; ${first.message}`;
    return [{ type: 'Warning', reason: first.reason, action: 'DistributeTrust', note }];
  });
}

/** A source that can't be read any more, each certificate that it loses, and each name that it isn't held to, once. */
export function sourceEvents(before: TrustStatus | undefined, after: TrustStatus | undefined): EventText[] {
  const former = new Map((before?.sources ?? []).map((each) => [each.name, each]));
  return (after?.sources ?? []).flatMap(({ name, reason, message = '', leftOut, nameProblems }): EventText[] => {
    const known = former.get(name);
    const action = 'DistributeTrust';
    const added = (code: string, present: readonly string[] = [], before: readonly string[] = []): EventText[] =>
      present
        .filter((each) => !before.includes(each))
        .map((each) => ({ type: 'Warning', reason: code, action, note: `source ${name}: ${each}` }));
    const lost = [
      ...added('TrustSourceLeftOut', leftOut, known?.leftOut),
      ...added('TrustSourceNotHeld', nameProblems, known?.nameProblems),
    ];
    const isNew = reason !== undefined && known?.reason !== reason;
    return isNew ? [...lost, { type: 'Warning', reason, action, note: message }] : lost;
  });
}
