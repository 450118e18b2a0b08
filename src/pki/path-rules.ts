import { messageOf } from '../thrown.ts';
import type { CertificateView } from './certificate.ts';
import {
  type ConstraintProblem,
  type Constraints,
  compileConstraints,
  pathConstraintsProblem,
} from './constraints/constraints.ts';
import { issuersProblem } from './path.ts';
import type { Path } from './path-search.ts';

/** What the CAs above a leaf come to together, whatever the leaf and the moment. */
export interface PathRules {
  /** Why no verifier accepts anything below them, as a sentence. */
  readonly problem: string | undefined;
  readonly constraints: Constraints;
}

const NOTHING_FORBIDDEN = compileConstraints([]);

/** Nearest to the leaf first, the anchor last. The same path is compiled once, since a CA signs thousands of leaves. */
export function rulesOf(issuers: Path): PathRules {
  const [nearest] = issuers;
  if (nearest === undefined) return { problem: undefined, constraints: NOTHING_FORBIDDEN };
  const known = compiled.get(nearest) ?? new Map<string, PathRules>();
  compiled.set(nearest, known);
  const above = issuers.map(({ fingerprintSHA256 }) => fingerprintSHA256).join(' ');
  const rules = known.get(above) ?? compile(issuers);
  known.set(above, rules);
  return rules;
}

const compiled = new WeakMap<CertificateView, Map<string, PathRules>>();

function compile(issuers: Path): PathRules {
  const problem = issuersProblem(issuers) ?? pathConstraintsProblem(issuers);
  try {
    return { problem, constraints: compileConstraints(issuers) };
  } catch (error) {
    return { problem: problem ?? messageOf(error), constraints: NOTHING_FORBIDDEN };
  }
}

/** Whether the CAs forbid a name, which concerns one client; all other problems concern every client of the CA. */
export function isAboutNames(field: ConstraintProblem['field'] | undefined): boolean {
  return field !== undefined && field !== 'usages' && field !== 'policies';
}

/** Whether every leaf is allowed, so that there is nothing to compare. */
export function allowsAll({ names, usages, policies }: Constraints): boolean {
  return names.length === 0 && usages.length === 0 && policies.requiredBy === undefined;
}
