import type { KeyObject } from 'node:crypto';
import { keyOf } from '../../api/parse.ts';
import { type Issued, type IssueRequest, isPending, type Pending } from '../../backends/backend.ts';
import { CertwheelError, DeniedError, RetryableError, TerminalError } from '../../errors.ts';
import { publicKeyDer, publicKeyPin } from '../../pki/keys.ts';
import type { AuthorityView } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { isCompromised } from '../revocation/asked.ts';
import type { Ask, RequestDeps } from './deps.ts';
import { storeKey } from './keep-key.ts';
import { keptCertificate, keptKey, type NextKey, newRequestId, nextName, requestId } from './next-key.ts';
import { certificateKey, notYet, type PendingRequest } from './pending-requests.ts';
import { abandonRequest, forgetDenied, forgetOrLeave } from './remove.ts';

/** Whether the request for what is wanted has been made already: to ask for its answer is no new request. */
export function isUnderWay(seen: Observed): boolean {
  const { next, wanted } = seen;
  return next !== undefined && next.denied === undefined && next.wanted === wanted;
}

/** How a request is made: the private key first, and what is asked for with it. */
export interface RequestParts {
  key(): Promise<KeyObject>;
  request(key: KeyObject): Omit<IssueRequest, 'id'>;
}

/** What an authority answered to a request for this key. */
export interface Answered {
  readonly key: KeyObject;
  readonly answer: Issued | Pending;
  /** To be called where the answer is of no use: to the same request it would be the same. */
  abandon(): Promise<void>;
}

/** Asks for a certificate. `ask` asserts leadership itself, right before it sends. */
export async function requestCertificate(
  seen: Observed,
  view: AuthorityView,
  parts: RequestParts,
  ask: Ask,
  deps: RequestDeps,
  signal: AbortSignal,
): Promise<Answered> {
  const { wanted } = seen;
  if (wanted === undefined) throw new RetryableError('Conflict', 'the authority went away');
  if (view.capabilities.persistKey) {
    const { awaited, answer } = await askDurably(seen, wanted, parts, ask, deps, signal);
    return { key: awaited.key, answer, abandon: () => abandonRequest(awaited.next, deps, signal) };
  }
  const key = await parts.key();
  const answer = await ask({ ...parts.request(key), id: requestId(seen.resource.uid, wanted, key) });
  if (isPending(answer)) throw new Error('an authority that answers later must say that the key is to be kept');
  return { key, answer, abandon: async () => {} };
}

/**
 * Makes a request whose key outlives us, or asks for the answer to the one that was made. First the key is stored, then
 * the authority is asked; so a run after a crash, or another replica, asks for the very same certificate.
 */
async function askDurably(
  seen: Observed,
  wanted: string,
  make: RequestParts,
  ask: Ask,
  deps: RequestDeps,
  signal: AbortSignal,
): Promise<{ readonly awaited: PendingRequest; readonly answer: Issued | Pending }> {
  const awaited = (await underWay(seen, deps)) ?? (await begin(seen, wanted, make.key, deps, signal));
  const early = notYet(awaited, deps.clock.monotonicMs());
  if (early !== undefined) return { awaited, answer: early };
  const { next, key, pending } = awaited;
  const ticket = pending?.answer.ticket ?? next.ticket;
  if (ticket === undefined) await assertSecretAsSeen(seen, deps);
  try {
    const answer = await ask({ ...make.request(key), id: next.id, ticket });
    if (isPending(answer)) await remember(seen, awaited, answer, deps);
    return { awaited, answer };
  } catch (error) {
    if (error instanceof DeniedError) await deny(seen, next, error, deps, signal);
    else if (wouldComeToNothing(error)) await abandonRequest(next, deps, signal);
    throw error;
  }
}

/**
 * Where the cache is behind, another replica may have published the certificate and removed the request by now; it would be
 * made a second time.
 */
async function assertSecretAsSeen({ resource, secret }: Observed, { liveSecret }: RequestDeps): Promise<void> {
  const { namespace, spec } = resource;
  const live = await liveSecret(namespace, spec.secretName);
  if (live?.metadata?.resourceVersion !== secret?.resourceVersion)
    throw new RetryableError('Conflict', `Secret ${spec.secretName} changed meanwhile`);
}

/**
 * The key that is kept for what is wanted, and what is withheld with it, unless its Secret was tampered with, or the key may be
 * in other hands by now.
 */
export async function underWay(seen: Observed, deps: RequestDeps): Promise<PendingRequest | undefined> {
  const { next, resource } = seen;
  if (next === undefined || !isUnderWay(seen)) return undefined;
  const isUsable = (key: KeyObject) => !isCompromised(publicKeyPin(publicKeyDer(key)), seen, deps.clock.now());
  const known = deps.awaited.of(next);
  if (known !== undefined) return isUsable(known.key) ? known : undefined;
  const object = await deps.nextKeys.read(next.namespace, next.name);
  if (object === undefined || object.metadata?.resourceVersion !== next.resourceVersion)
    throw new RetryableError('Conflict', `Secret ${next.name} changed meanwhile`);
  const key = keptKey(object, next, resource.spec);
  if (key === undefined || !isUsable(key)) return undefined;
  const awaited = { next, key, issued: keptCertificate(object, next) };
  deps.awaited.keep(awaited);
  return awaited;
}

async function begin(
  seen: Observed,
  wanted: string,
  makeKey: () => Promise<KeyObject>,
  deps: RequestDeps,
  signal: AbortSignal,
): Promise<PendingRequest> {
  const { resource, next: former } = seen;
  if (resource.spec.secretName === nextName(resource.name))
    throw new TerminalError(
      'InvalidSpec',
      `spec.secretName ${resource.spec.secretName} is where Certwheel keeps the key while this authority answers; create this ClientCertificate anew with another secretName`,
    );
  // One whose Secret was deleted is remembered, and what was made for it goes too.
  const lost = former ?? deps.awaited.under(keyOf(resource));
  if (lost !== undefined) await forgetOrLeave(lost, deps, signal);
  const key = await makeKey();
  const content = {
    id: newRequestId(resource.uid, wanted, key, deps.clock.random()),
    wanted,
    ticket: undefined,
    denied: undefined,
    withheld: undefined,
  };
  const next = await storeKey(seen, content, key, former, deps);
  const awaited = { next, key };
  deps.awaited.keep(awaited);
  return awaited;
}

async function remember(seen: Observed, awaited: PendingRequest, answer: Pending, deps: RequestDeps): Promise<void> {
  const { key } = awaited;
  let { next } = awaited;
  // Where the id is enough to find the request again, nothing has to be written for that.
  if (answer.ticket !== next.id && answer.ticket !== next.ticket)
    next = await storeKey(seen, { ...next, ticket: answer.ticket }, key, next, deps);
  const askedAtMs = deps.clock.monotonicMs();
  deps.awaited.keep({ next, key, pending: { answer, askedAtMs, askAtMs: askedAtMs + answer.pollAfterMs } });
}

/** Kept where it outlives us, so that a restart doesn't ask once more; status alone decides nothing. */
async function deny(seen: Observed, next: NextKey, { message }: Error, deps: RequestDeps, signal: AbortSignal) {
  deps.awaited.drop(certificateKey(next));
  const denied = { message, at: deps.clock.now() };
  await storeKey(seen, { ...next, denied }, undefined, next, deps);
  await forgetDenied(next, deps, signal);
}

/** The same request would only bring the same again. */
function wouldComeToNothing(error: unknown): boolean {
  return error instanceof CertwheelError && error.code === 'RequestFailed';
}
