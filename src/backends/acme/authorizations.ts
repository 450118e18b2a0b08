import { classify, DeniedError, RetryableError } from '../../errors.ts';
import { readable } from '../../foreign-text.ts';
import type { BackendDeps } from '../backend-deps.ts';
import type { KnownAccount } from './account.ts';
import { keyAuthorization } from './jws.ts';
import { type Authorization, type Challenge, type Identifier, type Order, readAuthorization } from './order.ts';
import { words } from './problem.ts';
import type { Session } from './session.ts';
import type { Solver, SolverChallenge, SolverFor } from './solver.ts';
import { provenName } from './solvers/select.ts';
import { pollUntil } from './wait.ts';

/** What stands somewhere to be found by the server, by the URL of its authorization. */
export type Presented = Map<string, { readonly solver: Solver; readonly challenge: SolverChallenge }>;

/** Whether the server is through with all names; where it isn't, how long it wants to be left alone, at least. */
type Proof = { readonly isThrough: true } | { readonly isThrough: false; readonly retryAfterMs: number };

/** So long one run waits for the server to look. */
const LOOKED_WITHIN_MS = 20_000;
/** A zone has a limit of updates. */
const AT_ONCE = 4;

type ProverDeps = Pick<BackendDeps, 'clock' | 'log' | 'name'>;

/** Proves to the server that the names of an order are ours (RFC 8555 section 7.5). */
export class Prover {
  readonly #session: Session;
  readonly #solverFor: SolverFor;
  readonly #deps: ProverDeps;

  constructor(session: Session, solverFor: SolverFor, deps: ProverDeps) {
    this.#session = session;
    this.#solverFor = solverFor;
    this.#deps = deps;
  }

  /** Throws a DeniedError for the first name that no solver of the spec is for, or not of a kind that can prove it. */
  refuseUnsolvable(identifiers: readonly Identifier[]): void {
    for (const { type, value } of identifiers) {
      const solver = this.#solverFor(value);
      if (solver === undefined)
        throw new DeniedError(
          'UnsupportedByAuthority',
          `no solver of the authority is for ${value}; add one to its spec.acme.solvers, with a selector that has the name or with none`,
        );
      // RFC 8555 section 8.3 and RFC 8738 section 7.
      if (value.startsWith('*.') && solver.type !== 'dns-01')
        throw new DeniedError('UnsupportedByAuthority', `${value} takes a solver of kind dns01 in spec.acme.solvers`);
      if (type === 'ip' && solver.type !== 'http-01')
        throw new DeniedError(
          'UnsupportedByAuthority',
          `the address ${value} takes a solver of kind http01 in spec.acme.solvers`,
        );
    }
  }

  /**
   * Presents a challenge for each name and waits a while; answers whether the server is through with all of them.
   * `isResumed` is for an order of an earlier process, which may have presented what is proven by now.
   */
  async prove(
    order: Order,
    presented: Presented,
    isResumed: boolean,
    account: KnownAccount,
    signal: AbortSignal,
  ): Promise<Proof> {
    const urls = order.authorizations.map((each) => this.#session.own(each, 'an authorization'));
    const waits: number[] = [];
    const waiting = [...urls];
    const lane = async () => {
      for (let url = waiting.shift(); url !== undefined; url = waiting.shift())
        waits.push(...(await this.#proveOne(url, order, presented, isResumed, account, signal)));
    };
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      await this.cleanUp(presented, signal);
      throw failed.reason;
    }
    return waits.length === 0 ? { isThrough: true } : { isThrough: false, retryAfterMs: Math.max(...waits) };
  }

  /** Removes the challenges of an order that is over. A failure is logged and stops nothing. */
  async cleanUp(presented: Presented, signal: AbortSignal): Promise<void> {
    for (const [url, { solver, challenge }] of [...presented]) {
      presented.delete(url);
      try {
        await solver.cleanUp(challenge, signal);
      } catch (error) {
        const { name, log } = this.#deps;
        const { message } = classify(error);
        log.warn('a challenge that is over could not be removed', {
          authority: name,
          domain: challenge.domain,
          error: message,
        });
      }
    }
  }

  /** The challenges of an order that an earlier process may have presented. */
  async ofOrder(order: Order, account: KnownAccount, signal: AbortSignal): Promise<Presented> {
    const found: Presented = new Map();
    for (const each of order.authorizations) {
      const url = this.#session.own(each, 'an authorization');
      const { seen } = await this.#look(url, account, signal);
      const chosen = isOfOrder(seen, order) ? this.#choose(seen) : undefined;
      if (chosen !== undefined)
        found.set(url, { solver: chosen.solver, challenge: partsOf(seen, chosen.challenge, account) });
    }
    return found;
  }

  /** How long the server wants to be left alone, where it is not through; nothing where it is. */
  async #proveOne(
    url: string,
    order: Order,
    presented: Presented,
    isResumed: boolean,
    account: KnownAccount,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const { seen } = await this.#look(url, account, signal);
    if (!isOfOrder(seen, order))
      throw new RetryableError(
        'RequestFailed',
        `${this.#session.server} wants proof of ${readable(seen.identifier.value, 253)}, which is none of the names that were asked for`,
      );
    const chosen = this.#choose(seen);
    if (isResumed && chosen !== undefined && seen.status !== 'pending')
      presented.set(url, { solver: chosen.solver, challenge: partsOf(seen, chosen.challenge, account) });
    if (seen.status === 'valid') return [];
    if (seen.status !== 'pending') throw failureOf(seen);
    if (chosen === undefined) throw this.#notOffered(seen);
    const { solver, challenge } = chosen;
    const parts = partsOf(seen, challenge, account);
    presented.set(url, { solver, challenge: parts });
    await solver.present(parts, signal);
    if (challenge.status === 'pending') {
      const target = this.#session.own(challenge.url, 'a challenge');
      await this.#session.ask(account, target, {}, `the challenge for ${parts.domain}`, signal);
    }
    const look = () => this.#look(url, account, signal);
    const last = await pollUntil(
      look,
      (each) => each.seen.status !== 'pending',
      LOOKED_WITHIN_MS,
      this.#deps.clock,
      signal,
    );
    if (last.seen.status === 'pending') return [last.retryAfterMs ?? 0];
    if (last.seen.status !== 'valid') throw failureOf(last.seen);
    return [];
  }

  async #look(url: string, account: KnownAccount, signal: AbortSignal) {
    const { answer, body } = await this.#session.askJson(account, url, undefined, 'an authorization', signal);
    return { seen: readAuthorization(body, this.#session.server), retryAfterMs: answer.retryAfterMs };
  }

  #choose(seen: Authorization): { readonly solver: Solver; readonly challenge: Challenge } | undefined {
    const solver = this.#solverFor(askedName(seen));
    const challenge = seen.challenges.find(({ type }) => type === solver?.type);
    return solver === undefined || challenge === undefined ? undefined : { solver, challenge };
  }

  #notOffered(seen: Authorization): Error {
    const name = askedName(seen);
    const kind = this.#solverFor(name)?.type;
    const offered = seen.challenges.map(({ type }) => type.slice(0, 32)).join(', ');
    return new RetryableError(
      'RequestFailed',
      `${this.#session.server} offers for ${name} the challenges ${offered || 'none that can be read'}, and the solver of spec.acme.solvers is of kind ${kind ?? 'none'}; use a solver of another kind, or allow the challenge on the server`,
    );
  }
}

/** Otherwise the server would choose the names whose zones are changed, and whose hosts are called. */
function isOfOrder({ identifier }: Authorization, { identifiers }: Order): boolean {
  return identifiers.some(
    ({ type, value }) => type === identifier.type && provenName(value) === provenName(identifier.value),
  );
}

/** An authorization for a wildcard names the domain below it (RFC 8555 section 7.1.4). */
function askedName({ identifier, isWildcard }: Authorization): string {
  return isWildcard && !identifier.value.startsWith('*.') ? `*.${identifier.value}` : identifier.value;
}

function partsOf({ identifier }: Authorization, { token }: Challenge, { key }: KnownAccount): SolverChallenge {
  const domain = identifier.value.replace(/^\*\./, '');
  return { domain, token, keyAuthorization: keyAuthorization(token, key), thumbprint: key.thumbprint };
}

function failureOf({ status, identifier, challenges }: Authorization): RetryableError {
  const reasons = challenges.flatMap(({ type, error }) => (error === undefined ? [] : `${type}: ${words(error)}`));
  const why = reasons.length === 0 ? 'the server says not why' : reasons.join('; ');
  return new RetryableError(
    'RequestFailed',
    `the name ${identifier.value} is not proven (${status.slice(0, 32)}): ${why}`,
  );
}
