import type { CertificateView } from '../certificate.ts';
import type { Subject } from '../name.ts';
import type { Names } from '../san.ts';
import { type JavaMerge, mergeInJava } from './java-merge.ts';
import { compileMerged, compileNameRules, type NameRules, nameProblem } from './names.ts';
import { compilePolicies, neededPolicies, type PolicyCa, type PolicyState, policyProblem } from './policies.ts';
import type { NameField } from './presented.ts';
import { subtreesProblem } from './subtree-problem.ts';
import { compileUsageRules, type UsageRules, usageProblem } from './usages.ts';
import { caName } from './words.ts';

/** What a CA's certificate says about what may be below it. */
export type ConstrainingCa = PolicyCa &
  Pick<CertificateView, 'subject' | 'names' | 'usages' | 'nameConstraints' | 'foreignNames'>;

/** What the CAs of one path forbid, together. */
export interface Constraints {
  readonly names: readonly NameRules[];
  readonly usages: readonly UsageRules[];
  readonly policies: PolicyState;
}

/** A leaf as it is asked for, or a CertificateView. */
export interface ConstrainedLeaf {
  readonly subject: Subject;
  readonly subjectDer: Buffer;
  readonly names: Names;
  /** cert-manager's names, see `Usage`. */
  readonly usages: readonly string[];
  /** Those that it carries or will carry, see `policiesToCopy`; undefined for none. */
  readonly policies?: readonly string[] | undefined;
}

export interface ConstraintProblem {
  readonly field: NameField | 'usages' | 'policies';
  /** A sentence that names the CA, what it allows, and the value. */
  readonly problem: string;
}

/**
 * What the CAs of a path allow below them (RFC 5280 sections 4.2.1.10 to 4.2.1.14), as the strictest of OpenSSL, Go and
 * Java has it. Compiled once for each path: the issuer nearest to the leaf first, the anchor last. Throws an Error if a
 * directory name in the name constraints is malformed.
 */
export function compileConstraints(issuers: readonly ConstrainingCa[]): Constraints {
  return {
    names: nameRules(issuers),
    usages: issuers.map(compileUsageRules).filter((rules) => rules !== undefined),
    policies: compilePolicies(issuers),
  };
}

function nameRules(issuers: readonly ConstrainingCa[]): NameRules[] {
  return [
    ...issuers
      .map((issuer, index) => compileNameRules(issuer, index === issuers.length - 1))
      .filter((rules) => rules !== undefined),
    ...mergedAbove(mergeInJava(issuers.slice(0, -1)), -1),
  ];
}

/** What Java's merge comes to for the certificate at that place; -1 is the leaf's. */
function mergedAbove({ steps }: JavaMerge, place: number): NameRules[] {
  const step = steps.findLast(({ index }) => index > place);
  return step === undefined ? [] : compileMerged(step);
}

/** The first thing that the CAs forbid the leaf; undefined if there is nothing. */
export function constraintsProblem(constraints: Constraints, leaf: ConstrainedLeaf): ConstraintProblem | undefined {
  const usages = usageProblem(constraints.usages, leaf.usages);
  if (usages !== undefined) return { field: 'usages', problem: usages };
  const name = nameProblem(constraints.names, leaf, 'leaf');
  if (name !== undefined) return name;
  const policies = policyProblem(constraints.policies, leaf.policies ?? []);
  return policies === undefined ? undefined : { field: 'policies', problem: policies };
}

/** The policies (dotted decimals) that a leaf must carry where a CA requires an explicit one; mostly none. */
export function policiesToCopy({ policies }: Constraints): readonly string[] {
  return neededPolicies(policies);
}

/** What makes the path bad whatever the leaf, as a sentence; undefined if nothing does. Issuers as for `compileConstraints`. */
export function pathConstraintsProblem(issuers: readonly ConstrainingCa[]): string | undefined {
  for (const issuer of issuers) {
    const problem = issuer.nameConstraints && subtreesProblem(issuer.nameConstraints);
    if (problem !== undefined) return `${caName(issuer)} ${problem}`;
  }
  const rules = issuers.map((issuer, index) => compileNameRules(issuer, index === issuers.length - 1));
  const merge = mergeInJava(issuers.slice(0, -1));
  for (const [index, issuer] of issuers.slice(0, -1).entries()) {
    // Java exempts a self-issued CA.
    const merged = issuer.subjectDer.equals(issuer.issuerDer) ? [] : mergedAbove(merge, index);
    const above = [...rules.slice(index + 1).filter((each) => each !== undefined), ...merged];
    const problem = intermediateProblem(above, issuer);
    if (problem !== undefined) return `${caName(issuer)} is forbidden by a CA above it: ${problem}`;
  }
  return merge.problem ?? compilePolicies(issuers).problem;
}

function intermediateProblem(above: readonly NameRules[], issuer: ConstrainingCa): string | undefined {
  const selfIssued = issuer.subjectDer.equals(issuer.issuerDer);
  const problem = nameProblem(above, issuer, selfIssued ? 'self-issued' : 'intermediate')?.problem;
  if (problem !== undefined || selfIssued) return problem;
  // Names of these kinds aren't read, so nothing shows that they are inside.
  const uncompared = issuer.foreignNames.find((kind) => {
    const form = kind === 'directoryName' ? 'directory' : 'other';
    return above.some(({ permitted, excluded }) => permitted.has(form) || excluded.has(form));
  });
  return uncompared === undefined
    ? undefined
    : `its alternative name of the kind ${uncompared} can't be compared with the name constraints`;
}
