import { isDeepStrictEqual } from 'node:util';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { TrustTarget } from '../api/trust-targets.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { Trouble } from '../trouble.ts';
import { type DesiredObject, type DesiredTarget, idOf, nameOf } from './desired.ts';
import { contentId, judge } from './judge.ts';
import type { TargetsMemory } from './memory.ts';
import type { SourceFinding } from './sources.ts';
import type { TargetCrls } from './target-crls.ts';
import type { TargetView } from './view.ts';

/** One object, and whether it holds what it should. */
export interface Surveyed {
  readonly object: DesiredObject;
  /** As it is; undefined where there is none, or where it isn't known. */
  readonly view: TargetView | undefined;
  readonly isHolding: boolean;
  /** Why it doesn't hold it. */
  readonly trouble: Trouble | undefined;
}

export interface SurveyedTarget {
  readonly target: TrustTarget;
  readonly objects: readonly Surveyed[];
  /** Of the target as a whole. */
  readonly trouble: Trouble | undefined;
}

/** The CRLs that the targets must hold. */
export interface SurveyedCrls extends TargetCrls {
  /** The targets that have no room for them, as sentences. */
  readonly tooLarge: readonly string[];
}

/** What is known of all targets of an authority. */
export interface Survey {
  /** What the targets must hold. */
  readonly bundle: TrustBundle;
  readonly sources: readonly SourceFinding[];
  /** Undefined where no target has room for CRLs. */
  readonly crls?: SurveyedCrls | undefined;
  readonly owner: Pick<CertificateAuthority, 'kind' | 'namespace' | 'name' | 'uid' | 'generation'>;
  readonly targets: readonly SurveyedTarget[];
  /** The objects that are to be written, each once; undefined for one that there isn't yet. */
  readonly writes: ReadonlyMap<DesiredObject, TargetView | undefined>;
}

interface Circumstances {
  readonly memory: TargetsMemory;
  readonly now: Date;
  readonly sources?: readonly SourceFinding[];
  readonly crls?: SurveyedCrls | undefined;
  /** Why nothing can be written. */
  readonly unfit?: Trouble | undefined;
}

interface Seen {
  view(object: DesiredObject): TargetView | undefined;
  /** Why nothing is known of an object; undefined where it is known, also that there is none. */
  unknown(object: DesiredObject): Trouble | undefined;
}

const NOT_WRITTEN: Trouble = { code: 'TrustTargetPending', message: 'it has not been written yet' };

/** The same for targets that may mean one object: its files would be written by turns otherwise. */
function filesOf({ formats, crlKey, cloudflare }: TrustTarget): string {
  const stores = formats.map(({ type, password }) => [type, password].join(' ')).sort();
  return JSON.stringify([stores, crlKey, cloudflare]);
}

function meantOtherwise(object: DesiredObject, { name }: TrustTarget): Trouble {
  return {
    code: 'TrustTargetNotOwned',
    message: `${nameOf(object)} is written for target ${name} already, whose additionalFormats, crl or cloudflareMTLS differ; give the object of one of the two another name, or have both say the same`,
  };
}

/** Compares all objects that an authority wants with those that there are. */
export function surveyTargets(
  owner: Survey['owner'],
  wanted: readonly DesiredTarget[],
  bundle: TrustBundle,
  seen: Seen,
  { memory, now, sources = [], crls, unfit }: Circumstances,
): Survey {
  const writes = new Map<DesiredObject, TargetView | undefined>();
  const known = new Set<string>();
  const meant = new Map<string, TrustTarget>();
  const surveyObject = (object: DesiredObject, target: TrustTarget): Surveyed => {
    const unknown = seen.unknown(object);
    if (unknown !== undefined) return { object, view: undefined, isHolding: false, trouble: unknown };
    const view = seen.view(object);
    const id = idOf(object);
    const first = meant.get(id) ?? target;
    meant.set(id, first);
    if (first !== target && filesOf(first) !== filesOf(target))
      return { object, view, isHolding: false, trouble: meantOtherwise(object, first) };
    const finding = judge(object, view, bundle, owner, now);
    if (finding.state === 'holding') {
      memory.holds(id, contentId(object, bundle));
      return { object, view, isHolding: true, trouble: undefined };
    }
    if (finding.state === 'foreign') return { object, view, isHolding: false, trouble: finding.trouble };
    const unwritable = unfit ?? object.unready;
    if (unwritable !== undefined) return { object, view, isHolding: false, trouble: unwritable };
    // Two targets may mean one object.
    if (!known.has(id)) writes.set(object, view);
    known.add(id);
    return { object, view, isHolding: false, trouble: memory.of(id).trouble ?? NOT_WRITTEN };
  };
  const targets = wanted.map(({ target, objects, trouble, unreached }) => ({
    target,
    trouble,
    objects: [
      ...objects.map((each) => surveyObject(each, target)),
      ...unreached.map((each) => ({ object: each.object, view: undefined, isHolding: false, trouble: each.trouble })),
    ],
  }));
  return { bundle, sources, crls, owner, targets, writes };
}

/** Whether two surveys show the same of the trust in a CA, whatever people see of them. */
export function showsSame(one: Survey | undefined, other: Survey): boolean {
  const isOfSameSpec = one?.owner.uid === other.owner.uid && one.owner.generation === other.owner.generation;
  return isOfSameSpec && isDeepStrictEqual(evidenceOf(one), evidenceOf(other));
}

/** What targetProofs and crlProofs go by. Another party may touch an object as often as it likes. */
function evidenceOf({ targets }: Survey): readonly unknown[] {
  return targets.flatMap(({ target, trouble, objects }) => [
    [target.name, trouble?.message],
    ...objects.map(({ object, isHolding, trouble: why, view }) => [
      ...[idOf(object), isHolding, why?.code, why?.message],
      ...[view?.mark, view?.createdAt, view?.held, view?.since, view?.stores],
    ]),
  ]);
}

const LOOK_AGAIN_MS = 30_000;

/** When targets that lack their content are looked at again, since not every obstacle ends with an event; undefined where none lacks it. */
export function lookAgain({ targets }: Survey, now: Date): Date | undefined {
  const isWaiting = targets.some(({ objects }) => objects.some(({ isHolding }) => !isHolding));
  return isWaiting ? new Date(now.getTime() + LOOK_AGAIN_MS) : undefined;
}
