import type { TrustStatus, TrustTargetStatus } from '../api/generated/types.ts';
import { isInCluster } from '../api/trust-targets.ts';
import { readable } from '../foreign-text.ts';
import { behindMessage, type Delivery, podsBehind } from './delivery.ts';
import { placeOf } from './desired.ts';
import { heldSince, isOurs } from './judge.ts';
import { sourceStatus } from './sources.ts';
import type { Survey, Surveyed, SurveyedTarget } from './survey.ts';
import { UNREAD_PODS } from './troubles.ts';

/** The bounds of the schema. */
const MOST_FINGERPRINTS = 32;
const MOST_STRANGERS = 5;
const MOST_WAITING = 5;
const LONGEST_MESSAGE = 1_024;

/** What there is to say about the targets; equal input gives an equal status, and its size doesn't grow with the objects. */
export function trustStatus(survey: Survey, delivery: Delivery, now: Date): TrustStatus {
  const sources = survey.sources.map((each) => sourceStatus(each, now));
  return {
    ...(sources.length === 0 ? {} : { sources }),
    targets: survey.targets.map((each) => targetStatus(each, survey, delivery, now)),
  };
}

function targetStatus(
  { target, objects, trouble }: SurveyedTarget,
  survey: Survey,
  delivery: Delivery,
  now: Date,
): TrustTargetStatus {
  const isDelivered = target.requiredProof === 'Delivered';
  const own = objects.flatMap(({ view }) => (view !== undefined && isOurs(view, survey.owner) ? [view.held] : []));
  const held = heldByAll(own);
  const strangers = strangersIn(own, survey);
  const waiting = objects.filter(({ isHolding }) => !isHolding);
  const listed = [
    ...(trouble === undefined ? [] : [{ object: target.object, reason: trouble.code, message: trouble.message }]),
    ...waiting.map(describe),
    ...(isDelivered && delivery.seesPods && isInCluster(target)
      ? objects.flatMap((each) => notDelivered(each, survey, delivery, now))
      : []),
  ].slice(0, MOST_WAITING);
  return {
    name: target.name,
    kind: target.kind,
    object: target.object,
    objects: objects.length,
    holding: objects.length - waiting.length,
    ...(held.length === 0 ? {} : { fingerprintsSHA256: held.slice(0, MOST_FINGERPRINTS) }),
    ...(isDelivered
      ? { delivery: delivery.seesPods && isInCluster(target) ? ('Pods' as const) : ('Time' as const) }
      : {}),
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

/** An object that holds all that it should, and Pods that have its former content: by the certificate that it got last. */
function notDelivered({ object, view, isHolding }: Surveyed, { bundle, owner }: Survey, delivery: Delivery, now: Date) {
  if (view === undefined || !isHolding) return [];
  const unknown = delivery.unknownPods(object.namespace);
  if (unknown !== undefined)
    // At the start they are simply not read yet, which is no news.
    return unknown === UNREAD_PODS ? [] : [{ object: placeOf(object), reason: unknown.code, message: unknown.message }];
  const moments = [...bundle.anchors.keys()].map((each) => heldSince(view, owner, each, now)?.getTime() ?? 0);
  const behind = podsBehind(object, new Date(Math.max(...moments)), delivery);
  if (behind.length === 0) return [];
  const message = readable(behindMessage(behind), LONGEST_MESSAGE);
  return [{ object: placeOf(object), reason: 'TrustTargetNotDelivered', message }];
}

/** Thousands of objects share the list of what they hold, so each list is looked at once. */
function heldByAll(own: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = [...new Set(own)].map((list) => new Set(list));
  return [...first].filter((each) => others.every((list) => list.has(each))).sort();
}

function strangersIn(own: readonly (readonly string[])[], { bundle }: Survey): string[] {
  const all = new Set([...new Set(own)].flat());
  return [...all].filter((each) => !bundle.anchors.has(each)).sort();
}
