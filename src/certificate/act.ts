import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { RawObject } from '../api/parse.ts';
import { type Issued, type IssueRequest, isPending, type Pending } from '../backends/backend.ts';
import type { Clock } from '../clock.ts';
import { ApiError, RetryableError } from '../errors.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { wayToAnchor } from '../pki/chain.ts';
import { makeCsr } from '../pki/csr.ts';
import {
  encodePrivateKey,
  generateKey,
  type KeyEncoding,
  type KeySpec,
  keyEncodingOf,
  keySpecOf,
  parsePrivateKey,
  publicKeyDer,
} from '../pki/keys.ts';
import { parsePem, toPem } from '../pki/pem.ts';
import type { Run } from '../queue/controller.ts';
import { withoutNewExports } from './decision/exported-keys.ts';
import { grantedLife } from './decision/schedule.ts';
import { type AuthorityView, authorityName, isOurs, lastRevision, type Observed } from './observed.ts';
import { flawOf, proven, trustFor } from './prove.ts';
import { type Ask, abandonRequest, askDurably, type RequestDeps } from './request/request.ts';
import type { UnpublishedCertificate, UnpublishedCertificates } from './request/unpublished.ts';
import type { CertificateFacts } from './secret/facts.ts';
import { secretManifest } from './secret/manifest.ts';
import { nextSerials, type SecretMemory } from './secret/memory.ts';
import { mayPass, type PublishDeps, publish } from './secret/publish.ts';
import { alteredError } from './secret/take-back.ts';
import type { SecretView } from './secret/view.ts';
import { isSuspect, isVital, writeSecret } from './secret/write.ts';

export interface ActDeps extends PublishDeps, RequestDeps {
  readonly clock: Clock;
  readonly unpublished: UnpublishedCertificates;
  /** Rejects where the authority, as it is now, refuses the resource, or what was made for it. */
  assertServed(resource: ClientCertificate, made?: UnpublishedCertificate): Promise<void>;
  /** Makes a key; `generateKey` unless it has to wait for its turn. */
  makeKey?(spec: KeySpec): Promise<KeyObject>;
}

/** Published, or not yet to be had. */
export type IssueResult = { readonly secret: SecretView } | { readonly pending: Pending };

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
): Promise<IssueResult> {
  const { resource } = seen;
  await rehearseIssue(seen, view, deps);
  const made = keptFor(seen, view, deps) ?? (await make(seen, view, ask, deps, run));
  if (isPending(made)) return { pending: made };
  try {
    return { secret: await publishMade(seen, view, made, deps) };
  } catch (error) {
    if (error instanceof ApiError && mayPass(error)) deps.unpublished.keep(resource, made);
    throw error;
  }
}

/**
 * After a write that was refused or altered: nothing is signed, and no good certificate is replaced, while the next write
 * would be refused, or lose bytes or the marks of ownership. What else an admission plugin takes away is no reason to let a certificate expire.
 */
async function rehearseIssue(seen: Observed, view: AuthorityView, deps: ActDeps): Promise<void> {
  if (!isSuspect(seen)) return;
  const { resource } = seen;
  const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
  const data = {
    certificateChain: textOf(live, 'tls.crt'),
    privateKey: textOf(live, 'tls.key'),
    trustBundle: view.trust.pem === '' ? textOf(live, 'ca.crt') : view.trust.pem,
  };
  const manifest = secretManifest(resource, data, memoryOf(seen, view, deps), seen.secret);
  const altered = await deps.secrets.rehearse(manifest);
  if (altered === undefined || !isVital(altered)) return;
  // It was created so, and could not be deleted.
  const isRemainder = isOurs(seen) && seen.secret?.problem !== undefined;
  throw alteredError(manifest.metadata, altered, isRemainder ? 'emptied' : undefined);
}

/** One that couldn't be published a moment ago, if it still is what is wanted. */
function keptFor(
  seen: Observed,
  view: AuthorityView,
  { clock, unpublished }: ActDeps,
): UnpublishedCertificate | undefined {
  const now = clock.now();
  const kept = unpublished.take(seen.resource, now);
  return kept !== undefined && flawOf(kept, seen, view, now) === undefined ? kept : undefined;
}

async function make(
  seen: Observed,
  view: AuthorityView,
  ask: Ask,
  deps: ActDeps,
  run: Run,
): Promise<UnpublishedCertificate | Pending> {
  const request = (key: KeyObject) => requestFor(seen, key);
  const askIfServed: Ask = async (each) => {
    await deps.assertServed(seen.resource);
    deps.assertLeading();
    return ask(each);
  };
  if (!view.capabilities.persistKey) {
    const key = await privateKeyFor(seen, deps);
    const answer = await askIfServed(request(key));
    if (isPending(answer)) throw new Error('an authority that answers later must say that the key is to be kept');
    return proven(answer, key, seen, view, deps.clock, run);
  }
  const fresh = { key: () => privateKeyFor(seen, deps), request };
  // Before a key is stored, too.
  await deps.assertServed(seen.resource);
  const { awaited, answer } = await askDurably(seen, view, fresh, askIfServed, deps, run.signal);
  if (isPending(answer)) return answer;
  try {
    return await proven(answer, awaited.key, seen, view, deps.clock, run);
  } catch (error) {
    // To the same request the answer would be the same.
    await abandonRequest(awaited.next, deps, run.signal);
    throw error;
  }
}

function publishMade(
  seen: Observed,
  view: AuthorityView,
  made: UnpublishedCertificate,
  deps: ActDeps,
): Promise<SecretView> {
  const { resource } = seen;
  const { issued, key, issuedAt } = made;
  const trust = trustFor(issued, view);
  const chain = chainToPublish(issued, view, trust, deps.clock.now());
  const [leaf] = chain;
  if (leaf === undefined) throw new Error('nothing is published that was not proven');
  const data = {
    certificateChain: chain.map((each) => each.pem).join(''),
    privateKey: encodePrivateKey(key, resource.spec.keyEncoding),
    trustBundle: trust.pem,
  };
  const past = isOurs(seen) ? seen.secret?.memory : undefined;
  const memory = {
    revision: lastRevision(seen) + 1,
    authority: authorityName(resource),
    authorityGeneration: issued.generation,
    requestedDurationMs: resource.spec.durationMs,
    issuedAt,
    serials: nextSerials(past?.serials ?? [], leaf),
    externalId: issued.externalId,
  };
  return publish(seen, data, memory, chain, deps, () => deps.assertServed(resource, made));
}

/** Writes the Secret anew around the certificate that it holds: its trust bundle, its labels, its marks. */
export async function repair(seen: Observed, view: AuthorityView, deps: ActDeps): Promise<SecretView> {
  const { resource, secret } = seen;
  const held = secret?.certificate;
  const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
  // The private key isn't in the cache. What is read now must be what was judged, or the judgement is void.
  if (held === undefined || live === undefined || live.metadata?.resourceVersion !== secret?.resourceVersion)
    throw new RetryableError('Conflict', 'the Secret changed while it was looked at');
  const data = {
    certificateChain: chainFor(held, textOf(live, 'tls.crt'), view),
    privateKey: reencoded(textOf(live, 'tls.key'), resource.spec.keyEncoding),
    trustBundle: view.trust.pem === '' ? textOf(live, 'ca.crt') : view.trust.pem,
  };
  // A repair comes to a resource that is refused, too.
  const admitted = withoutNewExports(resource, secret, seen.deniedPrefixes ?? []);
  const manifest = secretManifest(admitted, data, memoryOf(seen, view, deps), secret);
  const altered = isSuspect(seen) ? await deps.secrets.rehearse(manifest) : undefined;
  if (altered !== undefined) throw alteredError(manifest.metadata, altered);
  return writeSecret(seen, manifest, undefined, deps);
}

/** In order, since some TLS stacks read a chain only so. */
function chainToPublish(
  { chain, generation }: Issued,
  { signing, issuers, intermediates }: AuthorityView,
  trust: TrustBundle,
  now: Date,
): readonly CertificateView[] {
  const [leaf] = chain;
  // What a CA rotation compares with later; a search among the roots of two CAs could find another path.
  if (leaf !== undefined && generation !== undefined && generation === signing?.version) return [leaf, ...issuers];
  return wayToAnchor([...chain, ...intermediates], [...trust.anchors.values()], now);
}

/** As it is; of the CA that signs now, with the certificates that lead to its root now. */
function chainFor(
  { issuerFingerprint }: CertificateFacts,
  stored: string,
  { signing, issuers }: AuthorityView,
): string {
  if (signing?.fingerprintSHA256 !== issuerFingerprint) return stored;
  const [leaf] = parsePem(stored);
  return leaf === undefined ? stored : [toPem(leaf.label, leaf.der), ...issuers.map(({ pem }) => pem)].join('');
}

function memoryOf(seen: Observed, view: AuthorityView, { clock }: ActDeps): Omit<SecretMemory, 'templateKeys'> {
  const { resource, secret } = seen;
  const held = secret?.certificate;
  const { memory } = secret ?? {};
  const { durationMs } = resource.spec;
  return {
    revision: Math.max(1, lastRevision(seen)),
    authority: authorityName(resource),
    authorityGeneration: held && view.generations.get(held.issuerFingerprint)?.version,
    requestedDurationMs: memory?.requestedDurationMs ?? durationMs,
    issuedAt: memory?.issuedAt ?? (held && momentOfIssue(held, durationMs, clock.now())),
    serials: held === undefined ? (memory?.serials ?? []) : nextSerials(memory?.serials ?? [], held),
    externalId: memory?.externalId,
  };
}

/**
 * When a certificate was issued, from what it says itself: at the begin of its life without what it reaches back, at the
 * end of that second, since it counts whole ones. Too early a moment would honour an old renew-at once more.
 */
function momentOfIssue(held: CertificateFacts, durationMs: number, now: Date): Date {
  const { startMs } = grantedLife(held, durationMs, { issuedAt: undefined, now });
  return new Date(Math.min(startMs + 999, now.getTime()));
}

/** The same key in another encoding, where it has one; byte for byte as it was, where that is the encoding already. */
function reencoded(pem: string, encoding: KeyEncoding): string {
  if (keyEncodingOf(pem) === encoding) return pem;
  const key = parsePrivateKey(pem);
  return keySpecOf(key).algorithm === 'Ed25519' ? pem : encodePrivateKey(key, encoding);
}

async function privateKeyFor({ resource, secret }: Observed, deps: ActDeps): Promise<KeyObject> {
  const { spec } = resource;
  if (!spec.rotatesKey && secret?.certificate !== undefined) {
    const live = await deps.secrets.get(resource.namespace, spec.secretName);
    const kept = live && parsePrivateKey(textOf(live, 'tls.key'));
    if (kept !== undefined && JSON.stringify(keySpecOf(kept)) === JSON.stringify(spec.key)) return kept;
  }
  return (deps.makeKey ?? generateKey)(spec.key);
}

function requestFor({ resource, secret }: Observed, key: KeyObject): IssueRequest {
  const { spec, namespace, name, uid } = resource;
  return {
    id: `${uid}-${(secret?.memory.revision ?? 0) + 1}`,
    requester: { namespace, name, uid },
    publicKey: publicKeyDer(key),
    csr: () => makeCsr({ key, ...spec.identity }),
    identity: spec.identity,
    lifetimeMs: spec.durationMs,
  };
}

function textOf(object: RawObject | undefined, key: string): string {
  return Buffer.from(object?.data?.[key] ?? '', 'base64').toString('latin1');
}
