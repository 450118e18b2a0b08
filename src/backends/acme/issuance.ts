import type { AcmeBackend } from '../../api/generated/types.ts';
import { AuthorityError, CertwheelError, RetryableError } from '../../errors.ts';
import type { Issued, IssueRequest, Pending } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { readTrustBundle } from '../shared/trust-bundle.ts';
import type { Account, KnownAccount } from './account.ts';
import type { Presented, Prover } from './authorizations.ts';
import { downloadChain } from './chain.ts';
import { identifiersOf } from './identity.ts';
import { type Order, readOrder, sameIdentifiers } from './order.ts';
import { PresentedOrders } from './presented-orders.ts';
import { problemIn, refusal, words } from './problem.ts';
import { refuseServerCertificate, refuseUnknownProfile } from './profiles.ts';
import { certId } from './renewal-info.ts';
import type { Session } from './session.ts';
import { orderOf, type TicketOwner, ticketOf } from './ticket.ts';
import { pollUntil } from './wait.ts';

/** So long one run waits for the server to sign. */
const SIGNED_WITHIN_MS = 10_000;
/** Where the server says nothing of it. */
const POLL_MS = 5_000;

const KEY_MAY_BE_OLD: ReadonlySet<string> = new Set(['CredentialsRefused', 'RequestFailed']);

interface Parts {
  readonly session: Session;
  readonly account: Account;
  readonly prover: Prover;
}

/** Orders (RFC 8555 section 7.4), a run at a time. The URL of an order is kept before anything is done for it. */
export class Issuance {
  readonly #spec: AcmeBackend;
  readonly #parts: Parts;
  readonly #deps: BackendDeps;
  readonly #orders = new PresentedOrders();

  constructor(spec: AcmeBackend, parts: Parts, deps: BackendDeps) {
    this.#spec = spec;
    this.#parts = parts;
    this.#deps = deps;
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued | Pending> {
    const { account } = this.#parts;
    const known = await account.current();
    try {
      return await this.#run(request, known, signal);
    } catch (error) {
      // Another replica may have replaced the key, which servers call by different names; the next try reads it again.
      if (error instanceof CertwheelError && KEY_MAY_BE_OLD.has(error.code)) account.forget();
      throw isFailureOfOne(error) ? new RetryableError(error.code, error.message, error) : error;
    }
  }

  /** Takes away the challenges of a request that is over. */
  async forget(owner: TicketOwner & { readonly ticket?: string | undefined }, signal: AbortSignal): Promise<void> {
    const { account, prover } = this.#parts;
    if (owner.ticket === undefined || owner.ticket === owner.id) return;
    const known = await account.current();
    const url = orderOf(owner.ticket, owner, known.key);
    if (url === undefined) return;
    const presented = this.#orders.of(url) ?? (await this.#presentedBefore(url, known, signal));
    await prover.cleanUp(presented, signal);
    this.#orders.drop(url);
  }

  async #run(request: IssueRequest, account: KnownAccount, signal: AbortSignal): Promise<Issued | Pending> {
    const { prover, session } = this.#parts;
    const identifiers = identifiersOf(request);
    prover.refuseUnsolvable(identifiers);
    if (request.ticket === undefined) {
      const url = await this.#order(request, account, signal);
      this.#orders.add(url);
      return { ticket: ticketOf(url, request, account.key), pollAfterMs: 0, message: 'the order is made' };
    }
    const url = orderOf(request.ticket, request, account.key);
    if (url === undefined)
      throw new RetryableError(
        'RequestFailed',
        "the order that is kept with the request was not made for it with the account's present key",
      );
    const known = this.#orders.of(url);
    const isResumed = known === undefined;
    const presented = known ?? this.#orders.add(url);
    const first = await this.#look(url, account, signal);
    let { order } = first;
    if (!sameIdentifiers(order.identifiers, identifiers))
      throw new RetryableError(
        'RequestFailed',
        `${session.server} has the order ${url} with other names than were asked for`,
      );
    const pending = (message: string, retryAfterMs = 0): Pending => ({
      ticket: request.ticket ?? '',
      pollAfterMs: Math.max(POLL_MS, retryAfterMs),
      message,
    });
    let askAgainMs = first.retryAfterMs;
    if (order.status === 'pending') {
      const proof = await prover.prove(order, presented, isResumed, account, signal);
      if (!proof.isThrough)
        return pending(`${session.server} has not looked at all challenges yet`, proof.retryAfterMs);
      await prover.cleanUp(presented, signal);
      const seen = await this.#until(url, (status) => status !== 'pending', account, signal);
      order = seen.order;
      if (order.status === 'pending') return pending(`${session.server} has the proof of all names`, seen.retryAfterMs);
    }
    if (order.status === 'ready') {
      await this.#finalize(order, request, account, signal);
      const seen = await this.#until(url, (status) => status === 'valid' || status === 'invalid', account, signal);
      order = seen.order;
      askAgainMs = seen.retryAfterMs;
    }
    if (order.status === 'invalid') throw new RetryableError('RequestFailed', this.#invalid(order));
    if (order.status !== 'valid') return pending(`${session.server} has yet to sign`, askAgainMs);
    return this.#download(order, account, signal);
  }

  async #order(request: IssueRequest, account: KnownAccount, signal: AbortSignal): Promise<string> {
    const { session } = this.#parts;
    const { newOrder, renewalInfo, profiles } = await session.directory(signal);
    const { profile, enableDurationFeature } = this.#spec;
    refuseUnknownProfile(profile, profiles, session.server);
    const notAfter = new Date(this.#deps.clock.now().getTime() + request.lifetimeMs);
    const payload = {
      identifiers: identifiersOf(request),
      ...(profile === undefined ? {} : { profile }),
      ...(enableDurationFeature === true ? { notAfter: notAfter.toISOString().replace(/\.\d+Z$/, 'Z') } : {}),
    };
    const replaced = renewalInfo === undefined ? undefined : await request.replaced?.();
    const replaces = replaced && certId(replaced);
    const withReplaced = replaces === undefined ? payload : { ...payload, replaces };
    let answer = await session.send(account, newOrder, withReplaced, signal);
    // RFC 9773 section 5: it was replaced already, or the server doesn't know it. That is no reason to issue nothing.
    if (answer.status >= 400 && replaces !== undefined && isAboutReplaced(problemIn(answer).type))
      answer = await session.send(account, newOrder, payload, signal);
    if (answer.status >= 300) throw this.#orderRefused(answer);
    return session.own(answer.headers.location, 'the URL of the order');
  }

  /** Most servers take no `notAfter`, and some say so with the type of a malformed request (RFC 8555 section 7.4). */
  #orderRefused(answer: HttpAnswer): Error {
    const { server } = this.#parts.session;
    const { type, text } = problemIn(answer);
    if (this.#spec.enableDurationFeature === true && type === 'malformed' && /not.?after/i.test(text))
      return new AuthorityError(
        'AuthorityMisconfigured',
        `${server}: the order was answered ${answer.status}: ${text}; the server takes no duration: set spec.acme.enableDurationFeature to false`,
      );
    return refusal(answer, server, 'the order');
  }

  async #read(url: string, account: KnownAccount, signal: AbortSignal): Promise<Order> {
    return (await this.#look(url, account, signal)).order;
  }

  async #look(url: string, account: KnownAccount, signal: AbortSignal) {
    const { session } = this.#parts;
    const answer = await session.send(account, session.own(url, 'the order'), undefined, signal);
    if (answer.status === 404)
      throw new RetryableError('RequestFailed', `${session.server} has no order ${url} any more`);
    if (answer.status >= 300) throw refusal(answer, session.server, 'the order');
    return { order: readOrder(session.json(answer).body, session.server), retryAfterMs: answer.retryAfterMs };
  }

  async #until(url: string, isDone: (status: Order['status']) => boolean, account: KnownAccount, signal: AbortSignal) {
    const look = () => this.#look(url, account, signal);
    const { clock } = this.#deps;
    return pollUntil(look, ({ order }) => isDone(order.status), SIGNED_WITHIN_MS, clock, signal);
  }

  async #finalize(order: Order, request: IssueRequest, account: KnownAccount, signal: AbortSignal): Promise<void> {
    const { session } = this.#parts;
    const url = session.own(order.finalize, 'the URL to finalize the order');
    const answer = await session.send(account, url, { csr: request.csr().toString('base64url') }, signal);
    // Another replica was faster: the order itself says what became of it.
    if (answer.status < 300 || problemIn(answer).type === 'orderNotReady') return;
    throw refusal(answer, session.server, 'the request');
  }

  async #download(order: Order, account: KnownAccount, signal: AbortSignal): Promise<Issued> {
    const { session } = this.#parts;
    const url = session.own(order.certificate, 'the URL of the certificate');
    const { anchors, intermediates } = await readTrustBundle(this.#spec.trustBundle, this.#deps);
    const chain = await downloadChain(session, account, url, [...anchors, ...intermediates], signal);
    refuseServerCertificate(chain[0], session.server);
    return { chain, externalId: url };
  }

  #invalid({ error }: Order): string {
    return `${this.#parts.session.server} has given up the order: ${error === undefined ? 'it says not why' : words(error)}`;
  }

  /** By a process that ended before it could take them away. */
  async #presentedBefore(url: string, account: KnownAccount, signal: AbortSignal): Promise<Presented> {
    try {
      return await this.#parts.prover.ofOrder(await this.#read(url, account, signal), account, signal);
    } catch (error) {
      if (error instanceof RetryableError && error.code === 'RequestFailed') return new Map();
      throw error;
    }
  }
}

/**
 * An ACME server that fails at an order, and says so, may do better with the next one: step-ca answers serverInternal to a
 * life that it doesn't grant. As the authority's trouble it would stop the certificates of all others.
 */
function isFailureOfOne(error: unknown): error is AuthorityError {
  return error instanceof AuthorityError && error.code === 'AuthorityUnavailable' && !error.unproven;
}

function isAboutReplaced(type: string): boolean {
  return ['alreadyReplaced', 'malformed', 'unauthorized', 'serverInternal'].includes(type);
}
