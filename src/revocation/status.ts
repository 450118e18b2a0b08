import type { NewCondition } from '../api/conditions.ts';
import type { CRLStatus, RevocationProblem, RevocationStatus } from '../api/generated/types.ts';
import { earliest } from '../api/moments.ts';
import { readable } from '../foreign-text.ts';
import type { Kept } from './kept.ts';
import { owedIn } from './register.ts';

export type Problem = RevocationProblem;

/** What a look at the revocations of an authority has found. */
export interface RevocationFindings {
  /** Why it revokes nothing though that is asked for, as a sentence. */
  readonly unable: string | undefined;
  /** Why the register can't be read or written. */
  readonly registerProblem: string | undefined;
  readonly owed: number;
  /** When the first of them was noted down. */
  readonly oldestOwed: Date | undefined;
  readonly revoked: number;
  readonly problems: readonly Problem[];
  readonly crls: readonly CRLStatus[];
  /** Why a CA generation has no CRL, an old one, or no OCSP responder, as sentences. */
  readonly crlProblems: readonly string[];
  readonly recheckAt: Date | undefined;
}

export const NO_REVOCATIONS: RevocationFindings = {
  unable: undefined,
  registerProblem: undefined,
  owed: 0,
  oldestOwed: undefined,
  revoked: 0,
  problems: [],
  crls: [],
  crlProblems: [],
  recheckAt: undefined,
};

/** What is to be said of what is kept; `problems` come on top. */
export function findingsOf(kept: Kept, problems: readonly Problem[]): RevocationFindings {
  const owed = owedIn(kept.register);
  const failed = owed.flatMap(({ serialNumber }): Problem[] => {
    const attempt = kept.attempts.get(serialNumber);
    return attempt === undefined ? [] : [{ serialNumber, reason: attempt.code, message: attempt.message }];
  });
  const unlisted = kept.unlisted.map((serialNumber) => ({
    serialNumber,
    reason: 'NotInLedger',
    message:
      'no ledger of this authority lists it as issued by Certwheel and still valid: take it out of spec.revocation.serials if it has expired; otherwise it may be of somebody else, so revoke it at the CA itself',
  }));
  return {
    ...NO_REVOCATIONS,
    registerProblem: kept.problem,
    owed: owed.length + kept.asked.size,
    oldestOwed: earliest(owed.map(({ askedAt }) => askedAt)),
    revoked: kept.register.size - owed.length,
    problems: [...failed, ...problems, ...unlisted],
  };
}

const MOST_PROBLEMS = 8;
const LONGEST_MESSAGE = 1_024;

/** The condition that something keeps certificates from being revoked. Present only while it is true. */
export const REVOCATION_STALLED = 'RevocationStalled';

export function revocationCondition(found: RevocationFindings | undefined): NewCondition[] {
  if (found === undefined) return [];
  const { unable, registerProblem, problems, crlProblems } = found;
  const [first] = problems;
  const [crlProblem] = crlProblems;
  const because =
    unable !== undefined
      ? { reason: 'UnsupportedByAuthority', message: unable }
      : registerProblem !== undefined
        ? { reason: 'RegisterUnusable', message: registerProblem }
        : crlProblem !== undefined
          ? { reason: 'CRLNotPublished', message: crlProblem }
          : first === undefined
            ? undefined
            : { reason: first.reason, message: withCount(first, problems.length) };
  if (because === undefined) return [];
  const message = readable(because.message, LONGEST_MESSAGE);
  return [{ type: REVOCATION_STALLED, status: 'True', reason: because.reason, message }];
}

/** Undefined where there is nothing to say. */
export function revocationStatus(found: RevocationFindings | undefined): RevocationStatus | undefined {
  if (found === undefined) return undefined;
  const { owed, revoked, problems, crls } = found;
  if (owed === 0 && revoked === 0 && problems.length === 0 && crls.length === 0) return undefined;
  const shown = problems
    .slice(0, MOST_PROBLEMS)
    .map((each) => ({ ...each, message: readable(each.message, LONGEST_MESSAGE) }));
  return {
    owed,
    revoked,
    ...(shown.length === 0 ? {} : { problems: shown }),
    ...(crls.length === 0 ? {} : { crls: [...crls] }),
  };
}

function withCount({ serialNumber, message }: Problem, count: number): string {
  const more = count === 1 ? '' : ` (and ${count - 1} more)`;
  return `certificate ${serialNumber}${more}: ${message}`;
}
