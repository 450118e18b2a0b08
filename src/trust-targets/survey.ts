import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { TargetKind, TrustTarget } from '../api/trust-targets.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { Trouble } from '../trouble.ts';
import { type DesiredObject, type DesiredTarget, idOf } from './desired.ts';
import { judge } from './judge.ts';
import type { TargetsMemory } from './memory.ts';
import type { SourceFinding } from './sources.ts';
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

/** What is known of all targets of an authority. */
export interface Survey {
  /** What the targets must hold. */
  readonly bundle: TrustBundle;
  readonly sources: readonly SourceFinding[];
  readonly owner: Pick<CertificateAuthority, 'kind' | 'namespace' | 'name' | 'uid' | 'generation'>;
  readonly targets: readonly SurveyedTarget[];
  /** The objects that are to be written, each once; undefined for one that there isn't yet. */
  readonly writes: ReadonlyMap<DesiredObject, TargetView | undefined>;
}

interface Circumstances {
  readonly memory: TargetsMemory;
  readonly now: Date;
  readonly sources?: readonly SourceFinding[];
  /** Why nothing can be written. */
  readonly unfit?: Trouble | undefined;
}

interface Seen {
  view(object: DesiredObject): TargetView | undefined;
  /** Why nothing is known of the objects of a kind in a namespace; undefined where they are known. */
  unknown(kind: TargetKind, namespace: string): Trouble | undefined;
}

const NOT_WRITTEN: Trouble = { code: 'TrustTargetPending', message: 'it has not been written yet' };

/** Compares all objects that an authority wants with those that there are. */
export function surveyTargets(
  owner: Survey['owner'],
  wanted: readonly DesiredTarget[],
  bundle: TrustBundle,
  seen: Seen,
  { memory, now, sources = [], unfit }: Circumstances,
): Survey {
  const writes = new Map<DesiredObject, TargetView | undefined>();
  const known = new Set<string>();
  const surveyObject = (object: DesiredObject): Surveyed => {
    const unknown = seen.unknown(object.kind, object.namespace);
    if (unknown !== undefined) return { object, view: undefined, isHolding: false, trouble: unknown };
    const view = seen.view(object);
    const finding = judge(object, view, bundle, owner, now);
    const id = idOf(object);
    if (finding.state === 'holding') {
      memory.holds(id, bundle.hash);
      return { object, view, isHolding: true, trouble: undefined };
    }
    if (finding.state === 'foreign') return { object, view, isHolding: false, trouble: finding.trouble };
    if (unfit !== undefined) return { object, view, isHolding: false, trouble: unfit };
    // Two targets may mean one object.
    if (!known.has(id)) writes.set(object, view);
    known.add(id);
    return { object, view, isHolding: false, trouble: memory.of(id).trouble ?? NOT_WRITTEN };
  };
  const targets = wanted.map(({ target, objects, trouble, unreached }) => ({
    target,
    trouble,
    objects: [
      ...objects.map(surveyObject),
      ...unreached.map((each) => ({ object: each.object, view: undefined, isHolding: false, trouble: each.trouble })),
    ],
  }));
  return { bundle, sources, owner, targets, writes };
}
