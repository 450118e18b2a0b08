import { within } from '../../abort.ts';
import type { AcmeBackend } from '../../api/generated/types.ts';
import { RetryableError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { withinLimit } from '../http/client.ts';
import { readTrustBundle } from '../shared/trust-bundle.ts';
import { Account } from './account.ts';
import { Prover } from './authorizations.ts';
import { Issuance } from './issuance.ts';
import { refuseUnknownProfile } from './profiles.ts';
import { refusePublicCa } from './public-directories.ts';
import { renewalInfoOf } from './renewal-info.ts';
import { revokeAt } from './revocation.ts';
import { Session } from './session.ts';
import type { SolverFor } from './solver.ts';
import { solversOf } from './solvers/solvers-of.ts';

/** A record must reach all name servers of a zone, and the CA must look at it. */
const ISSUE_MS = 120_000;

/** The backend of one authority. `solverFor` is for tests. */
export function acmeBackend(
  spec: AcmeBackend,
  deps: BackendDeps,
  solverFor: SolverFor = solversOf(spec.solvers, deps),
): Backend {
  const session = new Session(spec, deps);
  const account = new Account(spec, session, deps);
  const prover = new Prover(session, solverFor, deps);
  const issuance = new Issuance(spec, { session, account, prover }, deps);
  return {
    trust: () => readTrustBundle(spec.trustBundle, deps),
    check: (signal) =>
      withinLimit(signal, async (all) => {
        refusePublicCa(spec.server);
        const { profiles } = await session.readDirectory(all);
        refuseUnknownProfile(spec.profile, profiles, session.server);
        await account.check();
      }),
    issue: (request, signal) =>
      within(ISSUE_MS, signal, (all) => issuance.issue(request, all)).catch((error: unknown) => {
        throw isTimeout(error) ? tookTooLong(session.server) : error;
      }),
    forget: (request, signal) => withinLimit(signal, (all) => issuance.forget(request, all)),
    renewalInfo: (leaf, signal) => withinLimit(signal, (all) => renewalInfoOf(session, leaf, all)),
    revoke: (revocation, reason, signal) =>
      withinLimit(signal, async (all) => revokeAt(session, await account.current(), revocation, reason, all)),
  };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

/** The same order goes on with the next try. */
function tookTooLong(server: string): RetryableError {
  return new RetryableError(
    'AuthorityUnreachable',
    `${server}: the names of the order were not proven within ${ISSUE_MS / 1_000} s; the same order goes on`,
  );
}
