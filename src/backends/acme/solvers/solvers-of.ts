import type { AcmeSolver, AcmeSolverSelector } from '../../../api/generated/types.ts';
import { AuthorityError, type CertwheelError, RetryableError } from '../../../errors.ts';
import type { BackendDeps } from '../../backend-deps.ts';
import { Concealment } from '../../http/conceal-errors.ts';
import { noAnswer } from '../../http/errors.ts';
import type { Solver, SolverFor } from '../solver.ts';
import { parseNameServer, showNameServer } from './dns/exchange.ts';
import { DnsFormatError } from './dns/name.ts';
import { Http01, type HttpDeps } from './http01.ts';
import { Rfc2136 } from './rfc2136.ts';
import { chooseSolver } from './select.ts';
import { Webhook } from './webhook.ts';

export type SolverDeps = HttpDeps & Pick<BackendDeps, 'secret'>;

/**
 * The solvers of a spec; for each name the one with the most specific selector, by the rule of cert-manager (see
 * chooseSolver). Their errors are about one name and not about the authority, so they are RetryableErrors, or a DeniedError;
 * of a CertificateAuthority they say nothing about a server that has not shown to be the expected one.
 */
export function solversOf(specs: readonly AcmeSolver[] | undefined, deps: SolverDeps): SolverFor {
  const all = specs ?? [];
  const shared = all.flatMap(({ http01, selector = {} }) => (http01 === undefined ? [] : [selector]));
  const solvers = all.map((spec) => solverOf(spec, shared, deps));
  const selectors = all.map(({ selector }) => selector);
  return (domain) => {
    const index = chooseSolver(domain, selectors);
    return index === undefined ? undefined : solvers[index];
  };
}

function solverOf(
  { dns01, http01 }: AcmeSolver,
  shared: readonly AcmeSolverSelector[],
  deps: SolverDeps,
): Solver | undefined {
  if (dns01?.rfc2136 !== undefined) {
    const { nameserver } = dns01.rfc2136;
    const solver = new Rfc2136(dns01.rfc2136, dns01.propagation, deps);
    return guarded(solver, nameserver, new Concealment(addressOf(nameserver), 'a name server', deps), deps);
  }
  if (dns01?.webhook !== undefined) {
    const { url } = dns01.webhook;
    const solver = new Webhook(dns01.webhook, dns01.propagation, deps);
    return guarded(solver, url, new Concealment(url, 'a webhook', deps), deps);
  }
  if (http01 !== undefined) return new Http01(shared, deps);
  return undefined;
}

/** With its port, for messages. */
function addressOf(nameserver: string): string {
  const server = parseNameServer(nameserver);
  return `dns://${server === undefined ? nameserver : showNameServer(server)}`;
}

function guarded(solver: Solver, server: string, concealment: Concealment, deps: SolverDeps): Solver {
  const around = async (work: () => Promise<void>) => {
    const retryable = () => work().catch((error: unknown) => Promise.reject(asRetryable(error, server)));
    return deps.clusterWide ? retryable() : concealment.around(retryable);
  };
  return {
    type: solver.type,
    present: (challenge, signal) => around(() => solver.present(challenge, signal)),
    cleanUp: (challenge, signal) => around(() => solver.cleanUp(challenge, signal)),
  };
}

/** Exported for its test. */
export function asRetryable(error: unknown, server: string): CertwheelError {
  const known = error instanceof DnsFormatError ? formatProblem(error, server) : noAnswer(error, server);
  if (!(known instanceof AuthorityError)) return known;
  const { code, message, retryAfterMs, unproven, cause } = known;
  return new RetryableError(code, message, { retryAfterMs, unproven, cause });
}

function formatProblem({ message }: DnsFormatError, server: string): CertwheelError {
  return new RetryableError('ChallengeFailed', `${server}: ${message}`, { unproven: true });
}
