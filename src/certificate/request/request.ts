import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import * as names from '../../api/names.ts';
import { keyOf, type RawObject } from '../../api/parse.ts';
import type { Backend, Issued, IssueRequest, Pending } from '../../backends/backend.ts';
import { isPending } from '../../backends/backend.ts';
import type { Clock } from '../../clock.ts';
import { ApiError, CertwheelError, classify, DeniedError, RetryableError, TerminalError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { AuthorityView, Observed } from '../observed.ts';
import { occupation } from '../secret/protection.ts';
import { keptKey, type NextContent, type NextKey, nextName, requestId, viewNextKey } from './next-key.ts';
import { type NextManifest, nextManifest } from './next-manifest.ts';
import { certificateKey, notYet, type PendingRequest, type PendingRequests } from './pending-requests.ts';

/** The Secrets that keep keys of requests under way. */
export interface NextKeyAccess {
  /** Past the cache, with the key. */
  read(namespace: string, name: string): Promise<RawObject | undefined>;
  /** Server-side apply; the cache knows what is stored as soon as this is answered. */
  apply(manifest: NextManifest): Promise<NextKey>;
  /** Harmless where it is gone, or another one by now. */
  delete(next: NextKey): Promise<void>;
}

export interface RequestDeps {
  readonly nextKeys: NextKeyAccess;
  readonly awaited: PendingRequests;
  /** See PublishDeps. */
  purposeOf(secret: RawObject): string | undefined;
  /** The backend that was asked; undefined where that authority is no more. */
  askedBy(next: NextKey): Backend | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly assertLeading: () => void;
}

export type Ask = (request: IssueRequest) => Promise<Issued | Pending>;

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

/** The request is over: whatever was made for it goes, its key last, since that is how it is found again. */
export async function endRequest(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  deps.awaited.drop(certificateKey(next));
  deps.assertLeading();
  await forget(next, deps, signal);
  deps.assertLeading();
  await deps.nextKeys.delete(next);
}

/** The same where another request is to follow, which must not wait until the authority of this one answers. */
export async function abandonRequest(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  deps.awaited.drop(certificateKey(next));
  await forgetOrLeave(next, deps, signal);
  deps.assertLeading();
  await deps.nextKeys.delete(next);
}

/** The key that is kept for what is wanted, unless its Secret was tampered with. */
async function underWay(seen: Observed, deps: RequestDeps): Promise<PendingRequest | undefined> {
  const { next, resource } = seen;
  if (next === undefined || !isUnderWay(seen)) return undefined;
  const known = deps.awaited.of(next);
  if (known !== undefined) return known;
  const object = await deps.nextKeys.read(next.namespace, next.name);
  if (object === undefined || object.metadata?.resourceVersion !== next.resourceVersion)
    throw new RetryableError('Conflict', `Secret ${next.name} changed meanwhile`);
  const key = keptKey(object, next, resource.spec);
  if (key === undefined) return undefined;
  const awaited = { next, key };
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
  const content = { id: requestId(resource.uid, wanted, key), wanted, ticket: undefined, denied: undefined };
  const next = await store(seen, content, key, former, deps);
  const awaited = { next, key };
  deps.awaited.keep(awaited);
  return awaited;
}

async function remember(seen: Observed, awaited: PendingRequest, answer: Pending, deps: RequestDeps): Promise<void> {
  const { key } = awaited;
  let { next } = awaited;
  // Where the id is enough to find the request again, nothing has to be written for that.
  if (answer.ticket !== next.id && answer.ticket !== next.ticket)
    next = await store(seen, { ...next, ticket: answer.ticket }, key, next, deps);
  const askAtMs = deps.clock.monotonicMs() + answer.pollAfterMs;
  deps.awaited.keep({ next, key, pending: { answer, askAtMs } });
}

/** Kept where it outlives us, so that a restart doesn't ask once more; status alone decides nothing. */
async function deny(seen: Observed, next: NextKey, { message }: Error, deps: RequestDeps, signal: AbortSignal) {
  deps.awaited.drop(certificateKey(next));
  const denied = { message, at: deps.clock.now() };
  await store(seen, { ...next, denied }, undefined, next, deps);
  await forgetOrLeave(next, deps, signal);
}

async function store(
  { resource }: Observed,
  content: NextContent,
  key: KeyObject | undefined,
  current: NextKey | undefined,
  deps: RequestDeps,
): Promise<NextKey> {
  deps.assertLeading();
  try {
    return await deps.nextKeys.apply(nextManifest(resource, content, key, current));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409 || current !== undefined) throw error;
    const name = nextName(resource.name);
    const found = await deps.nextKeys.read(resource.namespace, name);
    // Another replica was faster, or the cache is behind: the next look knows more.
    if (found === undefined) throw error;
    if (found.metadata?.deletionTimestamp !== undefined) throw heldError(found);
    if (viewNextKey(found).certificateName === resource.name) throw error;
    if (isOwnedBy(found, resource)) {
      // It lost a mark, so that its request can't be found again.
      await deps.nextKeys.delete({ ...viewNextKey(found), certificateName: resource.name }).catch((refused) => {
        throw refused instanceof ApiError && refused.status === 403 ? unmarkedError(found, refused) : refused;
      });
      throw error;
    }
    throw new TerminalError(
      'SecretNotOwned',
      `Certwheel keeps the key of this ClientCertificate in Secret ${name} while its authority answers, and that Secret ${occupation(found, deps.purposeOf(found)) ?? "isn't Certwheel's"}; create this ClientCertificate anew under another name`,
      { cause: error },
    );
  }
}

/** By its label and by its owner reference, which Certwheel wrote too. */
function isOwnedBy({ metadata = {} }: RawObject, { name, uid }: ClientCertificate): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  return labels[names.NEXT_OF_LABEL] === name && ownerReferences.some((owner) => owner.uid === uid);
}

/** The policy of the chart lets the controller delete nothing that lacks a mark. */
function unmarkedError({ metadata = {} }: RawObject, cause: ApiError): RetryableError {
  const { namespace, name } = metadata;
  return new RetryableError(
    'SecretRefused',
    `Secret ${name}, which is to keep the key while the authority answers, has lost the annotation ${names.CERTIFICATE_UID_ANNOTATION}, and Certwheel may not delete it (${cause.message}); delete it: kubectl delete secret -n ${namespace} ${name}`,
    { cause },
  );
}

function heldError({ metadata = {} }: RawObject): RetryableError {
  const { name, finalizers = [] } = metadata;
  return new RetryableError(
    'SecretRefused',
    `Secret ${name}, which is to keep the key while the authority answers, is being deleted and is held by the finalizers ${finalizers.join(', ')}; the controllers that set them have to remove them`,
  );
}

/** Removes what was made for a request at its authority; where that fails, `tidy` tries it again later. */
export async function forgetOrLeave(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  const { awaited, clock, log } = deps;
  const certificate = certificateKey(next);
  deps.assertLeading();
  try {
    await forget(next, deps, signal);
    awaited.left.done(certificate, next);
  } catch (error) {
    const isTriedAgain = awaited.left.failed(certificate, next, clock.monotonicMs(), clock.random());
    const { namespace, certificateName: name, authority, id: request } = next;
    const about = { namespace, name, authority, request, error: classify(error).message };
    log.warn(`a request that is over could not be removed${isTriedAgain ? '' : '; it stays'}`, about);
  }
}

async function forget(next: NextKey, deps: RequestDeps, signal: AbortSignal): Promise<void> {
  const { id, ticket, namespace, certificateName, certificateUid } = next;
  const requester = { namespace, name: certificateName, uid: certificateUid };
  await deps.askedBy(next)?.forget?.({ id, ticket: ticket ?? id, requester }, signal);
}

/** The same request would only bring the same again. */
function wouldComeToNothing(error: unknown): boolean {
  return error instanceof CertwheelError && error.code === 'RequestFailed';
}
