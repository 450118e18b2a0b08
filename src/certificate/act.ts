import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { RawObject } from '../api/parse.ts';
import type { Authority, Issued, IssueRequest } from '../authorities/authority.ts';
import type { Clock } from '../clock.ts';
import { ApiError, RetryableError, TerminalError } from '../errors.ts';
import { proveIssued } from '../pki/chain.ts';
import { makeCsr } from '../pki/csr.ts';
import {
  encodePrivateKey,
  generateKey,
  type KeyEncoding,
  keyEncodingOf,
  keySpecOf,
  parsePrivateKey,
  publicKeyDer,
} from '../pki/keys.ts';
import { type AuthorityView, authorityName, isAdoptable, isOurs, type Observed } from './observed.ts';
import { grantedLife } from './schedule.ts';
import { nextSerials, type SecretData, type SecretManifest, secretManifest } from './secret-manifest.ts';
import { type CertificateFacts, type SecretMemory, type SecretView, viewSecret } from './secret-view.ts';

/** The Secrets of certificates, one by one, past the cache. */
export interface SecretAccess {
  get(namespace: string, name: string): Promise<RawObject | undefined>;
  /** Server-side apply; answers what is stored now. */
  apply(manifest: SecretManifest): Promise<SecretView>;
}

export interface ActDeps {
  readonly secrets: SecretAccess;
  readonly clock: Clock;
  /** Throws where another replica leads by now; asked before each outside effect. */
  readonly assertLeading: () => void;
}

/** How often a write is tried again when somebody else wrote in between. */
const WRITE_ATTEMPTS = 4;

/**
 * Gets a certificate and publishes it: one call of the authority, one write. Nothing reaches the Secret that isn't
 * proven. When this throws, the Secret is as it was, or (the answer was lost) holds the new certificate as a whole.
 */
export async function issue(
  seen: Observed,
  view: AuthorityView,
  ask: Authority['issue'],
  deps: ActDeps,
  signal: AbortSignal,
): Promise<SecretView> {
  const { resource } = seen;
  const key = await privateKeyFor(seen, deps);
  const request = requestFor(resource, key, seen.secret);
  deps.assertLeading();
  const issued = await ask(request, signal);
  const leaf = await prove(issued, request, view, deps, signal);
  const data = {
    certificateChain: issued.chain
      .filter((each) => each === leaf || !view.trust.anchors.has(each.fingerprintSHA256))
      .map((each) => each.pem)
      .join(''),
    privateKey: encodePrivateKey(key, resource.spec.keyEncoding),
    trustBundle: view.trust.pem,
  };
  const past = isOurs(seen) ? seen.secret?.memory : undefined;
  const memory = {
    revision: lastRevision(seen) + 1,
    authority: authorityName(resource),
    authorityGeneration: issued.generation,
    requestedDurationMs: resource.spec.durationMs,
    issuedAt: deps.clock.now(),
    serials: nextSerials(past?.serials ?? [], leaf),
    externalId: issued.externalId,
  };
  return publish(seen, data, memory, leaf.serialNumber, deps);
}

/** Writes the Secret anew around the certificate that it holds: its trust bundle, its labels, its marks. */
export async function repair(seen: Observed, view: AuthorityView, deps: ActDeps): Promise<SecretView> {
  const { resource, secret } = seen;
  const held = secret?.certificate;
  const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
  // The private key isn't in the cache. What is read now must be what was judged, or the judgement is void.
  if (held === undefined || live === undefined || live.metadata?.resourceVersion !== secret?.resourceVersion)
    throw new RetryableError('Conflict', 'the Secret changed while it was looked at');
  const { memory } = secret ?? {};
  const data = {
    certificateChain: textOf(live, 'tls.crt'),
    privateKey: reencoded(textOf(live, 'tls.key'), resource.spec.keyEncoding),
    trustBundle: view.trust.pem === '' ? textOf(live, 'ca.crt') : view.trust.pem,
  };
  const remembered = {
    revision: Math.max(1, lastRevision(seen)),
    authority: authorityName(resource),
    authorityGeneration: view.generations.get(held.issuerFingerprint)?.version,
    requestedDurationMs: memory?.requestedDurationMs ?? resource.spec.durationMs,
    issuedAt: memory?.issuedAt ?? momentOfIssue(held, resource.spec.durationMs),
    serials: nextSerials(memory?.serials ?? [], held),
    externalId: memory?.externalId,
  };
  deps.assertLeading();
  return deps.secrets.apply(secretManifest(resource, data, remembered, secret));
}

/**
 * When a certificate was issued, from what it says itself: at the begin of its life without what it reaches back, at the
 * end of that second, since it counts whole ones. Too early a moment would honour an old renew-at once more.
 */
function momentOfIssue(held: CertificateFacts, durationMs: number): Date {
  return new Date(grantedLife(held, durationMs).startMs + 999);
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
  return generateKey(spec.key);
}

function requestFor(resource: ClientCertificate, key: KeyObject, secret: SecretView | undefined): IssueRequest {
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

/** Answers the leaf; throws unless everything about it is as it was asked for. */
async function prove(
  issued: Issued,
  request: IssueRequest,
  view: AuthorityView,
  { clock }: ActDeps,
  signal: AbortSignal,
) {
  const [leaf] = issued.chain;
  if (leaf === undefined) throw new RetryableError('InvalidAnswer', 'the authority answered without a certificate');
  const anchors = [...view.trust.anchors.values()];
  const carries = view.capabilities.identity;
  const examine = () => {
    const expected = { publicKeyDer: request.publicKey, ...request.identity, now: clock.now() };
    return proveIssued({ chain: issued.chain, anchors, expected, carries });
  };
  let verdict = examine();
  if (verdict?.validInMs !== undefined) {
    // An authority whose clock is a little ahead: hold the certificate back until a verifier would take it.
    await clock.sleep(verdict.validInMs, signal);
    verdict = examine();
  }
  if (verdict !== undefined)
    throw new RetryableError('InvalidAnswer', `the authority's answer was refused: ${verdict.problem}`);
  return leaf;
}

/**
 * One server-side apply, on the condition that the Secret still is what was looked at. After a lost race or a lost
 * answer the Secret itself is asked what holds, so that a certificate that was paid for isn't thrown away.
 */
async function publish(
  seen: Observed,
  data: SecretData,
  memory: Omit<SecretMemory, 'templateKeys'>,
  serialNumber: string,
  deps: ActDeps,
): Promise<SecretView> {
  const { resource } = seen;
  let current = seen.secret;
  for (let attempt = 1; ; attempt++) {
    deps.assertLeading();
    try {
      return await deps.secrets.apply(secretManifest(resource, data, memory, current));
    } catch (error) {
      if (!isUncertain(error) || attempt === WRITE_ATTEMPTS) throw error;
      const live = await deps.secrets.get(resource.namespace, resource.spec.secretName);
      current = live && viewSecret(live);
      if (current === undefined) continue;
      const now = { resource, secret: current };
      if (!isOurs(now) && !isAdoptable(now))
        throw new TerminalError('SecretNotOwned', `Secret ${current.name} exists and is not this ClientCertificate's`);
      if (isOurs(now) && current.memory.revision >= memory.revision) {
        if (current.certificate?.serialNumber === serialNumber && current.memory.revision === memory.revision)
          return current;
        throw new RetryableError('Conflict', `revision ${current.memory.revision} was published meanwhile`, {
          cause: error,
        });
      }
    }
  }
}

/** Lost a race (409), or nobody knows whether the write happened (no answer, 5xx). */
function isUncertain(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 0 || error.status >= 500);
}

function lastRevision(seen: Observed): number {
  const kept = isOurs(seen) ? (seen.secret?.memory.revision ?? 0) : 0;
  return Math.max(kept, seen.resource.status.revision ?? 0);
}

function textOf(object: RawObject, key: string): string {
  return Buffer.from(object.data?.[key] ?? '', 'base64').toString('latin1');
}
