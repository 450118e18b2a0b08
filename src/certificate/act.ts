import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import type { Audit } from '../audit/event.ts';
import { isPending, type Pending } from '../backends/backend.ts';
import type { Clock } from '../clock.ts';
import { ApiError, CertwheelError, RetryableError } from '../errors.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { KeySpec } from '../pki/keys.ts';
import type { Run } from '../queue/controller.ts';
import { askAudited } from './ask-audited.ts';
import type { AuthorityView } from './authority-view.ts';
import { withoutNewExports } from './decision/exported-keys.ts';
import type { Need } from './decision/needs.ts';
import { assertNotFormerAgain } from './former-again.ts';
import type { Observed } from './observed.ts';
import { flawOf, proven } from './prove.ts';
import type { Ask, RequestDeps } from './request/deps.ts';
import { keyFor, requestFor } from './request/parts.ts';
import { requestCertificate } from './request/request.ts';
import type { UnpublishedCertificate, UnpublishedCertificates } from './request/unpublished.ts';
import { isGivenUp, takeWithheld, withhold, withholding } from './request/withheld.ts';
import { composeHeld, composeIssued, composeStored } from './secret/compose.ts';
import { dryRunPair } from './secret/dry-run-pair.ts';
import { secretManifest } from './secret/manifest.ts';
import { outputsDigest } from './secret/outputs.ts';
import { mayPass, type PublishDeps, publish } from './secret/publish.ts';
import { type Rendered, render, type SecretData } from './secret/render.ts';
import type { Seal } from './secret/seal.ts';
import { secretType } from './secret/secret-type.ts';
import { type StorePasswords, tagOf } from './secret/store-passwords.ts';
import { alteredError } from './secret/take-back.ts';
import type { SecretView } from './secret/view.ts';
import { isSuspect, isVital, writeSecret } from './secret/write.ts';

export interface ActDeps extends PublishDeps, RequestDeps {
  readonly clock: Clock;
  readonly unpublished: UnpublishedCertificates;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  /** The user that requested it, or `unverified`. */
  requestedBy(resource: ClientCertificate): string;
  /** Rejects where the authority, as it is now, refuses the resource, or what was made for it. Returns the rule that permits it. */
  assertServed(resource: ClientCertificate, made?: UnpublishedCertificate): Promise<string | undefined>;
  /** The CA certificates that came with a certificate of the authority, once that is proven. */
  noticeCa?(resource: ClientCertificate, ca: readonly CertificateView[]): void;
  /** Makes a key; `generateKey` unless it has to wait for its turn. */
  makeKey?(spec: KeySpec): Promise<KeyObject>;
  /** The passwords of the key stores, past every watch. */
  freshPasswords?(resource: ClientCertificate): Promise<StorePasswords | undefined>;
  /** Proves what the ledgers say; nothing is sealed without it. */
  readonly seal?: Seal;
  /** Does work that takes time in the thread pool, without a worker. */
  slowly?<T>(work: () => Promise<T>): Promise<T>;
}

/** Published, withheld, or not yet to be had. */
export type IssueResult = { readonly secret: SecretView } | { readonly withheld: true } | { readonly pending: Pending };

/**
 * Gets a certificate and publishes it: one call of the authority, one write. Nothing reaches the Secret that isn't
 * proven. When this throws, the Secret is as it was, or (the answer was lost) holds the new certificate as a whole.
 */
export async function issue(
  seen: Observed,
  view: AuthorityView,
  ask: Ask,
  deps: ActDeps,
  run: Run,
  need?: Pick<Need, 'reason'>,
): Promise<IssueResult> {
  const { resource } = seen;
  await rehearseIssue(seen, view, deps);
  const kept = keptFor(seen, view, deps);
  if (kept !== undefined) return publishOrWithhold(seen, view, kept, deps, run);

  const isGood = (made: UnpublishedCertificate) =>
    flawOf(made, seen, view, deps.clock.now()) === undefined && !isGivenUp(made, view);
  const withheld = await takeWithheld(seen, isGood, deps, run.signal);
  if (withheld !== undefined) return publishOrWithhold(seen, view, withheld, deps, run);

  // Before a key is stored, too.
  if (view.capabilities.persistKey) await deps.assertServed(resource);
  const parts = { key: () => keyFor(seen, deps), request: (key: KeyObject) => requestFor(seen, key, deps) };
  const askIfServed: Ask = async (request) => {
    const rule = await deps.assertServed(resource);
    deps.ownership.assert(keyOf(resource));
    const told = { ...request, rule, requestedBy: deps.requestedBy(resource) };
    return askAudited(seen, told, ask, deps.audit, view.capabilities.remote);
  };
  const { key, answer, abandon } = await requestCertificate(seen, view, parts, askIfServed, deps, run.signal);
  if (isPending(answer)) return { pending: answer };
  const made = await proven(answer, key, seen, view, deps.clock, run)
    .then((each) => {
      assertNotFormerAgain(need?.reason, each, seen, view, deps.clock.now());
      return each;
    })
    .catch(async (error: unknown) => {
      if (answer.refused !== undefined) throw error instanceof CertwheelError ? answer.refused(error) : error;
      await abandon();
      throw error;
    });
  if (made.issued.ca !== undefined) deps.noticeCa?.(resource, made.issued.ca);
  return publishOrWithhold(seen, view, made, deps, run);
}

async function publishOrWithhold(
  seen: Observed,
  view: AuthorityView,
  made: UnpublishedCertificate,
  deps: ActDeps,
  { signal }: Run,
): Promise<IssueResult> {
  const reason = withholding(made, seen, view, deps.clock.now());
  if (reason !== undefined) {
    await withhold(seen, made, reason, deps, signal).catch((error: unknown) => {
      // To the same request an authority that keeps it answers the same again; any other would sign anew at each try.
      if (!view.capabilities.persistKey) deps.unpublished.keep(seen.resource, view.origin, made, { isWithheld: true });
      throw error;
    });
    return { withheld: true };
  }
  return { secret: await publishMade(seen, view, made, deps) };
}

/**
 * After a write that was refused or altered: nothing is signed, and no good certificate is replaced, while the next write
 * would be refused, or lose bytes or the marks of ownership. What else an admission plugin takes away is no reason to let a certificate expire.
 */
async function rehearseIssue(seen: Observed, view: AuthorityView, deps: ActDeps): Promise<void> {
  if (!isSuspect(seen)) return;
  const { resource } = seen;
  const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
  const now = deps.clock.now();
  const { data, memory } = composeStored(seen, view, live, now, {
    type: secretType(resource.spec),
    seal: deps.seal,
  });
  const sent = seen.held === undefined ? await dryRunOf(data, resource, now) : data;
  // With all files of the spec, since admission may be about one of them.
  const rendered = await renderFor(seen, sent, undefined, deps);
  const manifest = secretManifest(resource, rendered, memory, seen.secret);
  const altered = await deps.secrets.rehearse(manifest);
  if (altered === undefined || !isVital(altered)) return;
  // It was created so, and could not be deleted.
  const isRemainder = seen.ours?.problem !== undefined;
  throw alteredError(manifest.metadata, altered, isRemainder ? 'emptied' : undefined);
}

/** As complete as what will be written, also before the first answer of the authority has told its CA. */
async function dryRunOf({ trustBundle }: SecretData, { spec }: ClientCertificate, now: Date): Promise<SecretData> {
  const pair = await dryRunPair(now);
  const privateKey = spec.csr === undefined ? pair.privateKey : undefined;
  return { ...pair, privateKey, trustBundle: trustBundle === '' ? pair.certificateChain : trustBundle };
}

/** One that couldn't be published a moment ago, if it still is what is wanted. */
function keptFor(
  seen: Observed,
  view: AuthorityView,
  { clock, unpublished }: ActDeps,
): UnpublishedCertificate | undefined {
  const now = clock.now();
  const kept = unpublished.take(seen.resource, view.origin, now);
  return kept !== undefined && flawOf(kept, seen, view, now) === undefined ? kept : undefined;
}

/** What could not be published for a passing reason is kept for the next run. */
async function publishMade(
  seen: Observed,
  view: AuthorityView,
  made: UnpublishedCertificate,
  deps: ActDeps,
): Promise<SecretView> {
  const { resource } = seen;
  const { data, memory, content } = composeIssued(seen, view, made, deps.clock.now(), deps.seal);
  const rendered = await renderFor(seen, data, undefined, deps);
  try {
    return await publish(seen, rendered, memory, content, deps, () => deps.assertServed(resource, made));
  } catch (error) {
    if (error instanceof ApiError && mayPass(error)) deps.unpublished.keep(resource, view.origin, made);
    throw error;
  }
}

/** Writes the Secret anew around the certificate that it holds: its trust bundle, its labels, its marks. */
export async function repair(seen: Observed, view: AuthorityView, deps: ActDeps): Promise<SecretView> {
  const { resource, secret, held } = seen;
  const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
  // The private key isn't in the cache. What is read now must be what was judged, or the judgement is void.
  if (held === undefined || live === undefined || live.metadata?.resourceVersion !== secret?.resourceVersion)
    throw new RetryableError('Conflict', 'the Secret changed meanwhile');
  const { data, memory } = composeHeld(seen, view, held, live, deps.clock.now(), deps.seal);
  // A repair comes to a resource that is refused, too.
  const admitted = withoutNewExports(resource, secret, seen.deniedPrefixes ?? []);
  const rendered = await renderFor(await withFreshPasswords(seen, secret, deps), data, live, deps);
  const manifest = secretManifest(admitted, rendered, memory, secret);
  const altered = isSuspect(seen) ? await deps.secrets.rehearse(manifest) : undefined;
  if (altered !== undefined) throw alteredError(manifest.metadata, altered);
  return writeSecret(seen, manifest, undefined, deps);
}

/**
 * Where the stores were written with another password than the watch tells, that watch may be behind: of two replicas one would
 * write the former password back, and the other the new one again.
 */
async function withFreshPasswords(seen: Observed, secret: SecretView | undefined, deps: ActDeps): Promise<Observed> {
  const { resource, storePasswords } = seen;
  const tag = tagOf(storePasswords);
  if (tag === undefined || secret?.memory.outputs === outputsDigest(resource.spec, tag)) return seen;
  return seen.with({ storePasswords: (await deps.freshPasswords?.(resource)) ?? storePasswords });
}

/** Key stores take time in the thread pool, and others don't wait for that. */
function renderFor(
  { resource: { spec }, storePasswords }: Observed,
  data: SecretData,
  stored: RawObject | undefined,
  { clock, slowly = (work) => work() }: ActDeps,
): Promise<Rendered> {
  const work = () => render(data, spec, storePasswords, stored, clock.now());
  return storePasswords === undefined ? work() : slowly(work);
}
