import { messageOf } from '../../thrown.ts';
import type { CertificateView } from '../certificate.ts';
import { forJava, type JavaSubtree, type Relation, relationInJava } from './java-relation.ts';
import type { Subtree } from './subtrees.ts';
import { caName } from './words.ts';

type Ca = Pick<CertificateView, 'subjectText' | 'nameConstraints'>;

export interface JavaMerge {
  /** Why Java refuses each leaf below the CAs, as a sentence. */
  readonly problem?: string;
  /** From the anchor downwards. */
  readonly steps: readonly MergeStep[];
}

/** What Java permits below a CA whose constraints it merged with those above. */
export interface MergeStep {
  /** The CA's place among the issuers. */
  readonly index: number;
  readonly ca: string;
  /** Java loses some of what both CAs permit: of a form that only the lower CA has, all but one subtree. */
  readonly permitted: readonly Subtree[];
  /** The CA below which Java allows no subject. */
  readonly withoutSubjects: string | undefined;
}

/** So many comparisons take some two milliseconds. */
const MOST_COMPARISONS = 20_000;

/**
 * What becomes of the name constraints of several CAs in Java, which merges them on the way down: `merge` of
 * NameConstraintsExtension, and `intersect` and `reduce` of GeneralSubtrees. Where two CAs permit nothing in common, Java
 * fails for all forms but directory names, whatever the leaf's names are. Nearest to the leaf first, without the anchor,
 * of which Java reads no constraints.
 */
export function mergeInJava(issuers: readonly Ca[]): JavaMerge {
  const steps: MergeStep[] = [];
  if (issuers.filter(({ nameConstraints }) => nameConstraints !== undefined).length < 2) return { steps };
  let merged: Merged | undefined;
  let withoutSubjects: string | undefined;
  const compare = counted(relationInJava);
  for (const [index, issuer] of [...issuers.entries()].reverse()) {
    const { permitted = [], excluded = [] } = issuer.nameConstraints ?? {};
    if (permitted.length + excluded.length === 0) continue;
    const own = { permitted: permitted.map(forJava), excluded: excluded.map(forJava) };
    if (merged === undefined) {
      merged = own;
      continue;
    }
    try {
      const widest = merge(merged, own, compare);
      if (widest?.form === 'directory') withoutSubjects = caName(issuer);
      else if (widest !== undefined)
        throw new Error(`together they permit nothing of the kind of ${widest.text}, on which Java fails`);
      steps.push({ index, ca: caName(issuer), permitted: merged.permitted, withoutSubjects });
    } catch (error) {
      return {
        steps,
        problem: `the name constraints of ${caName(issuer)} don't go together with those of a CA above it: ${messageOf(error)}`,
      };
    }
  }
  return { steps };
}

type Compare = (one: JavaSubtree, other: JavaSubtree) => Relation;

function counted(compare: Compare): Compare {
  let left = MOST_COMPARISONS;
  return (one, other) => {
    if (one.form === other.form) left -= 1;
    if (left < 0) throw new Error(`they need more than ${MOST_COMPARISONS} comparisons`);
    return compare(one, other);
  };
}

interface Merged {
  permitted: JavaSubtree[];
  excluded: JavaSubtree[];
}

/** Changes `merged`. Returns a subtree of the form of which nothing is permitted any more; of several, one that Java fails on. */
function merge(merged: Merged, own: Merged, compare: Compare): JavaSubtree | undefined {
  merged.excluded = own.excluded.length === 0 ? merged.excluded : union(merged.excluded, own.excluded, compare);
  const { permitted, barren } =
    own.permitted.length === 0
      ? { permitted: merged.permitted, barren: [] }
      : intersection(merged.permitted, own.permitted, compare);
  merged.permitted = reduced(permitted, merged.excluded, compare);
  return barren.find(({ form }) => form !== 'directory') ?? barren[0];
}

/** Without those that lie in another one. */
function minimized(list: readonly JavaSubtree[], compare: Compare): JavaSubtree[] {
  const kept: JavaSubtree[] = [];
  let rest = list;
  while (rest.length > 0) {
    const [first, ...others] = rest;
    if (first === undefined) break;
    const relations = others.map((other) => compare(first, other));
    const end = relations.findIndex((each) => each === 'equal' || each === 'wider');
    rest = others.filter((_, index) => relations[index] !== 'narrower' || (end >= 0 && index > end));
    if (end < 0) kept.push(first);
  }
  return kept;
}

function union(some: readonly JavaSubtree[], others: readonly JavaSubtree[], compare: Compare): JavaSubtree[] {
  return minimized([...some, ...others], compare);
}

function intersection(
  above: readonly JavaSubtree[],
  below: readonly JavaSubtree[],
  compare: Compare,
): { readonly permitted: JavaSubtree[]; readonly barren: readonly JavaSubtree[] } {
  if (above.length === 0) return { permitted: [...below], barren: [] };
  const others = minimized(below, compare);
  const kept = minimized(above, compare);
  const narrower: JavaSubtree[] = [];
  const barren: JavaSubtree[] = [];
  // As Java does, by the entries that are left at that moment: one that was replaced doesn't count for the next.
  for (let index = 0; index < kept.length; index += 1) {
    const one = kept[index];
    if (one === undefined) break;
    const relations = others.map((other) => compare(one, other));
    const at = relations.findIndex((each) => each !== 'other kind' && each !== 'apart');
    const isApart = at < 0 && relations.includes('apart');
    if (
      isApart &&
      !kept.some((each) => each.form === one.form && others.some((other) => isCommon(compare(each, other))))
    )
      barren.push(one);
    const other = others[at];
    if (relations[at] === 'narrower' && other !== undefined) narrower.push(other);
    if (isApart || relations[at] === 'narrower') {
      kept.splice(index, 1);
      index -= 1;
    }
  }
  const permitted = narrower.length > 0 ? union(kept, narrower, compare) : kept;
  for (const other of others)
    if (permitted.length > 0 && permitted.every((each) => compare(each, other) === 'other kind')) permitted.push(other);
  return { permitted, barren };
}

function isCommon(relation: Relation): boolean {
  return relation === 'equal' || relation === 'wider' || relation === 'narrower';
}

/** Java drops what is permitted and excluded, and with it the limit. */
function reduced(permitted: readonly JavaSubtree[], excluded: readonly JavaSubtree[], compare: Compare): JavaSubtree[] {
  return permitted.filter((each) => !excluded.some((taboo) => ['equal', 'narrower'].includes(compare(taboo, each))));
}
