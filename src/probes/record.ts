import { isDeepStrictEqual } from 'node:util';
import { earliest } from '../api/moments.ts';
import { readable } from '../foreign-text.ts';
import { type Verdict, worst } from './judge.ts';
import type { EndpointResult, Subject } from './round.ts';

/** What is known of one CA generation at one verifier. */
export interface KnownGeneration {
  readonly version: number;
  readonly fingerprint: string;
  /** Fingerprint of what verifiers must trust. */
  readonly anchor: string;
  readonly verdict: Verdict;
  /** Since when every endpoint has trusted it, and refused rogues, without interruption. */
  readonly since: Date | undefined;
}

/**
 * What is known of one verifier. It is kept in memory alone: after a restart everything is asked again, so that a proof
 * begins anew and is at worst too young.
 */
export interface VerifierRecord {
  /** The generation of the authority's spec by which it was asked. */
  readonly specGeneration: number;
  readonly endpoints: number;
  readonly generations: readonly KnownGeneration[];
  /** Anchors (fingerprints) of generations for which another machine gives no certificate that could be shown. */
  readonly withoutLeaf: readonly string[];
  readonly lastChange: Date;
  readonly message: string | undefined;
  /** The first end of the certificates of its endpoints. */
  readonly serverNotAfter: Date | undefined;
  /** Rounds in a row that brought no answer of some endpoint. */
  readonly silentRounds: number;
  /** Equal as long as the verdicts on all endpoints are. */
  readonly shape: string;
}

/** The result of one round: the answers of its endpoints, or why there are none. */
export type Round = { readonly results: readonly EndpointResult[] } | { readonly problem: string };

const LONGEST_MESSAGE = 2_048;
/** A sentence names so many endpoints. */
const MOST_NAMED = 3;

type AskedAbout = Pick<Subject, 'version' | 'fingerprint' | 'anchor' | 'name' | 'withoutLeaf'>;

/** The record after a round. Equal verdicts leave message and date as they are, so that nothing is written for them. */
export function nextRecord(
  previous: VerifierRecord | undefined,
  round: Round,
  all: readonly AskedAbout[],
  specGeneration: number,
  now: Date,
): VerifierRecord {
  const results = 'results' in round ? round.results : [];
  const subjects = all.filter(({ withoutLeaf }) => withoutLeaf === undefined);
  const others = all.filter(({ withoutLeaf }) => withoutLeaf !== undefined);
  const generations = subjects.map(({ version, fingerprint, anchor }): KnownGeneration => {
    const verdict = worst(results.map(({ judgements }) => judgements.get(version)?.verdict ?? 'Unknown'));
    const before = previous?.generations.find((each) => each.fingerprint === fingerprint && each.anchor === anchor);
    // A change of the spec may name another server.
    const goesOn = before?.verdict === 'Trusts' && previous?.specGeneration === specGeneration;
    // A moment to come is that of a clock that was ahead.
    const since = verdict === 'Trusts' ? earliest([goesOn ? before.since : undefined, now]) : undefined;
    return { version, fingerprint, anchor, verdict, since };
  });
  const shape = JSON.stringify([
    'problem' in round ? round.problem : '',
    others.map(({ fingerprint, withoutLeaf }) => [fingerprint, withoutLeaf]),
    subjects.map(({ fingerprint }) => fingerprint),
    results.map(({ endpoint, judgements }) => [endpoint, ...[...judgements.values()].map(({ verdict }) => verdict)]),
  ]);
  const isSame = previous?.shape === shape;
  const verdicts = (each: Pick<VerifierRecord, 'endpoints' | 'generations'>) =>
    JSON.stringify([each.endpoints, each.generations.map(({ version, verdict }) => [version, verdict])]);
  const endpoints = results.length;
  const isSameToPeople = previous !== undefined && verdicts(previous) === verdicts({ endpoints, generations });
  const isSilent = 'problem' in round || generations.some(({ verdict }) => verdict === 'Unknown');
  return {
    specGeneration,
    endpoints,
    generations,
    withoutLeaf: others.map(({ anchor }) => anchor),
    lastChange: isSameToPeople ? previous.lastChange : now,
    message: isSame ? previous.message : messageOf(round, all),
    serverNotAfter: earliest(results.map((each) => each.serverNotAfter)),
    silentRounds: isSilent ? (previous?.silentRounds ?? 0) + 1 : 0,
    shape,
  };
}

/** Whether two records prove the same of the trust in a CA, whatever people see of them. */
export function provesSame(one: VerifierRecord | undefined, other: VerifierRecord): boolean {
  const sinceOf = ({ generations }: VerifierRecord) => generations.map(({ since }) => since?.getTime());
  return (
    one?.shape === other.shape &&
    one.specGeneration === other.specGeneration &&
    isDeepStrictEqual(sinceOf(one), sinceOf(other))
  );
}

const DELIVERY_ALONE = 'the proof is that its trust targets are delivered';

function messageOf(round: Round, subjects: readonly AskedAbout[]): string | undefined {
  if ('problem' in round) return readable(round.problem, LONGEST_MESSAGE);
  if (subjects.length === 0)
    return `nothing is asked, because Certwheel holds no CA key of this authority; ${DELIVERY_ALONE}`;
  const unshown = subjects.flatMap(({ version, name, withoutLeaf }) =>
    withoutLeaf === undefined
      ? []
      : [`CA generation ${version} (${name}): no certificate can be shown, so that ${DELIVERY_ALONE}: ${withoutLeaf}`],
  );
  const faults = round.results.flatMap(({ endpoint, judgements }) =>
    subjects.flatMap(({ version, name }) => {
      const because = judgements.get(version)?.because;
      return because === undefined
        ? []
        : [{ endpoint, text: `CA generation ${version} (${name}): ${endpoint} ${because}` }];
    }),
  );
  if (faults.length === 0 && unshown.length === 0) return undefined;
  const named = faults.slice(0, MOST_NAMED).map(({ text }) => text);
  const others = new Set(faults.slice(MOST_NAMED).map(({ endpoint }) => endpoint)).size;
  return readable(
    [...unshown, ...named, ...(others === 0 ? [] : [`and ${others} endpoints more`])].join('; '),
    LONGEST_MESSAGE,
  );
}
