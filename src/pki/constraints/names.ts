import { messageOf } from '../../thrown.ts';
import type { CertificateView } from '../certificate.ts';
import { isAddressHost } from './hosts.ts';
import type { MergeStep } from './java-merge.ts';
import { compileSubtree, type Matcher } from './match.ts';
import { type Named, type NameField, type Presented, presentedNames, presentedSubject } from './presented.ts';
import type { Form, Subtree } from './subtrees.ts';
import { caName, listed, quoted } from './words.ts';

type Matchers = ReadonlyMap<Form, readonly Matcher[]>;

/** The name constraints of one CA, ready to be compared with names. */
export interface NameRules {
  readonly ca: string;
  readonly isAnchor: boolean;
  /** Whether OpenSSL and Go have no such rules. */
  readonly byJavaAlone?: true;
  readonly permitted: Matchers;
  readonly excluded: Matchers;
}

export interface NameProblem {
  readonly field: NameField;
  readonly problem: string;
}

/** More than any real PKI needs, and less than a millisecond of work. Go has 250,000, OpenSSL 2^20. */
export const MAX_COMPARISONS = 10_000;

/** The rules of a CA; undefined if it has none. Throws an Error if a directory name in them is malformed. */
export function compileNameRules(
  ca: Pick<CertificateView, 'subjectText' | 'nameConstraints'>,
  isAnchor: boolean,
): NameRules | undefined {
  const { nameConstraints } = ca;
  return (
    nameConstraints && {
      ca: caName(ca),
      isAnchor,
      permitted: byForm(nameConstraints.permitted),
      excluded: byForm(nameConstraints.excluded),
    }
  );
}

/** The rules that Java makes of those of several CAs. What they exclude, the CAs exclude one by one. */
export function compileMerged({ ca, permitted, withoutSubjects }: MergeStep): NameRules[] {
  const java = { isAnchor: false, byJavaAlone: true } as const;
  const merged = new Map([...byForm(permitted)].map(([form, list]) => [form, list.map(insideForJava(form))]));
  return [
    { ...java, ca: `${ca}, which Java merges with the CAs above it,`, permitted: merged, excluded: new Map() },
    ...(withoutSubjects === undefined ? [] : [{ ...java, ...noSubjects(withoutSubjects) }]),
  ];
}

function noSubjects(ca: string): Pick<NameRules, 'ca' | 'permitted' | 'excluded'> {
  const any: Matcher = { text: 'each subject', forAll: () => true, forAny: () => true };
  return { ca, permitted: new Map(), excluded: new Map([['directory', [any]]]) };
}

// Java 17 alone compares addresses with ranges of the other family.
function insideForJava(form: Form): (matcher: Matcher) => Matcher {
  return (matcher) => {
    const { forAll, forJava } = matcher;
    return form === 'ip' ? matcher : { ...matcher, forAll: (name) => forAll(name) || forJava?.(name) === true };
  };
}

function byForm(subtrees: readonly Subtree[]): Matchers {
  const found = new Map<Form, Matcher[]>();
  for (const subtree of subtrees) {
    const list = found.get(subtree.form) ?? [];
    list.push(compileSubtree(subtree));
    found.set(subtree.form, list);
  }
  return found;
}

/**
 * The first name of a certificate that the CAs above it forbid. Of a self-issued intermediate only the alternative names
 * count: RFC 5280 section 6.1.3 (b) exempts it, and Go compares those all the same.
 */
export function nameProblem(
  rules: readonly NameRules[],
  named: Named,
  kind: 'leaf' | 'intermediate' | 'self-issued',
): NameProblem | undefined {
  if (rules.length === 0) return undefined;
  let presented: Presented[];
  try {
    presented = [
      ...presentedNames(named.names),
      ...(kind === 'self-issued' ? [] : presentedSubject(named, kind === 'leaf', rules.some(comparesSubjects))),
    ];
  } catch (error) {
    const why = messageOf(error);
    return { field: 'subject', problem: `subject can't be compared with the name constraints of a CA: ${why}` };
  }
  const broad = tooMany(rules, presented);
  if (broad !== undefined) return broad;
  for (const one of presented) {
    const problem = unreadable(one) ?? forbidden(rules, one);
    if (problem !== undefined) return { field: one.field, problem };
  }
  return undefined;
}

function comparesSubjects({ permitted, excluded }: NameRules): boolean {
  return permitted.has('directory') || excluded.has('directory');
}

function tooMany(rules: readonly NameRules[], presented: readonly Presented[]): NameProblem | undefined {
  const sizes = new Map<Form, number>();
  for (const { permitted, excluded, byJavaAlone } of rules) {
    if (byJavaAlone) continue;
    for (const [form, matchers] of [...permitted, ...excluded])
      sizes.set(form, (sizes.get(form) ?? 0) + matchers.length);
  }
  let comparisons = 0;
  for (const { field, form } of presented) {
    comparisons += sizes.get(form) ?? 0;
    if (comparisons > MAX_COMPARISONS) {
      const problem = `${field} holds so many names that the name constraints of the CAs need more than ${MAX_COMPARISONS} comparisons`;
      return { field, problem };
    }
  }
  return undefined;
}

// What Go refuses below any name constraints, whatever forms they have.
function unreadable({ field, form, name: { text, host } }: Presented): string | undefined {
  if (form === 'email' && !/^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(text))
    return `${field} holds ${quoted(text)}, which is no mail address that name constraints can be compared with`;
  if (form !== 'uri') return undefined;
  if (host === '') return `${field} holds ${quoted(text)}, which has no host, and a CA has name constraints`;
  if (isAddressHost(host))
    return `${field} holds ${quoted(text)}, whose host is an IP address, and a CA has name constraints`;
  return undefined;
}

function forbidden(rules: readonly NameRules[], presented: Presented): string | undefined {
  const { field, form, name, because } = presented;
  const what =
    form === 'directory'
      ? 'the subject'
      : `${field} holds ${quoted(name.text)}${because ? ` (${because})` : ''}, which`;
  for (const { ca, isAnchor, byJavaAlone, permitted, excluded } of rules) {
    if (isAnchor && presented.notByAnchor) continue;
    if (byJavaAlone && presented.notByJava) continue;
    const fails = ({ failsJava }: Matcher) => !isAnchor && !presented.notByJava && failsJava?.(name) === true;
    const allowed = permitted.get(form);
    // Java compares in order, and stops at the first that fits or fails.
    const first = allowed?.find((each) => each.forAll(name) || fails(each));
    if (allowed !== undefined && first === undefined) {
      const texts = listed(allowed.map(({ text }) => text));
      return `${what} is outside the subtrees that ${ca} permits: ${texts}`;
    }
    const denied = excluded.get(form) ?? [];
    const taboo = denied.find((each) => each.forAny(name) || (!isAnchor && each.forJava?.(name)));
    if (taboo !== undefined) return `${what} is within a subtree that ${ca} excludes: ${taboo.text}`;
    const broken = [...(first ? [first] : []), ...denied].find(fails);
    if (broken !== undefined)
      return `${what} makes Java 17 fail when it is compared with a subtree of ${ca}: ${broken.text}`;
  }
  return undefined;
}
