import type { TrustStatus, TrustTargetStatus } from '../api/generated/types.ts';
import { readable } from '../foreign-text.ts';
import { placeOf } from './desired.ts';
import { isOurs } from './judge.ts';
import type { Survey, Surveyed, SurveyedTarget } from './survey.ts';

/** The bounds of the schema. */
const MOST_FINGERPRINTS = 32;
const MOST_STRANGERS = 5;
const MOST_WAITING = 5;
const LONGEST_MESSAGE = 1_024;

/** What there is to say about the targets; equal input gives an equal status, and its size doesn't grow with the objects. */
export function trustStatus(survey: Survey): TrustStatus {
  return { targets: survey.targets.map((each) => targetStatus(each, survey)) };
}

function targetStatus({ target, objects, trouble }: SurveyedTarget, survey: Survey): TrustTargetStatus {
  const own = objects.flatMap(({ view }) => (view !== undefined && isOurs(view, survey.owner) ? [view.held] : []));
  const held = heldByAll(own);
  const strangers = strangersIn(own, survey);
  const waiting = objects.filter(({ isHolding }) => !isHolding);
  const listed = [
    ...(trouble === undefined ? [] : [{ object: target.object, reason: trouble.code, message: trouble.message }]),
    ...waiting.map(describe),
  ].slice(0, MOST_WAITING);
  return {
    name: target.name,
    kind: target.kind,
    object: target.object,
    objects: objects.length,
    holding: objects.length - waiting.length,
    ...(held.length === 0 ? {} : { fingerprintsSHA256: held.slice(0, MOST_FINGERPRINTS) }),
    ...(strangers.length === 0 ? {} : { strangers: strangers.slice(0, MOST_STRANGERS) }),
    ...(listed.length === 0 ? {} : { waiting: listed }),
  };
}

function describe({ object, trouble }: Surveyed) {
  return {
    object: placeOf(object),
    reason: trouble?.code ?? 'TrustTargetPending',
    message: readable(trouble?.message ?? '', LONGEST_MESSAGE),
  };
}

/** Thousands of objects share the list of what they hold, so each list is looked at once. */
function heldByAll(own: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = new Set(own);
  return [...new Set(first)].filter((each) => others.every((list) => list.includes(each))).sort();
}

function strangersIn(own: readonly (readonly string[])[], { bundle }: Survey): string[] {
  const all = new Set([...new Set(own)].flat());
  return [...all].filter((each) => !bundle.anchors.has(each)).sort();
}
