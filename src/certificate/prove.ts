import type { KeyObject } from 'node:crypto';
import type { CertificateSpec } from '../api/client-certificate.ts';
import { formatDuration } from '../api/duration.ts';
import type { Issued } from '../backends/backend.ts';
import type { Clock } from '../clock.ts';
import { RetryableError } from '../errors.ts';
import { bundleOf, type TrustBundle } from '../pki/bundle.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { type Flaw, proveIssued, quote } from '../pki/chain.ts';
import { encodingProblem } from '../pki/foreign-encodings.ts';
import { publicKeyDer, publicKeyPin } from '../pki/keys.ts';
import { type Subject, valuesOf } from '../pki/name.ts';
import type { Run } from '../queue/controller.ts';
import { type AuthorityView, authorityName, ownTrustOf } from './authority-view.ts';
import { requestOf } from './client-request.ts';
import { isSystemName } from './decision/refusals.ts';
import type { Observed } from './observed.ts';
import type { UnpublishedCertificate } from './request/unpublished.ts';
import { isCompromised } from './revocation/asked.ts';
import { readLedger } from './secret/ledger.ts';

/** An authority whose clock is ahead of ours grants a life that seems too long by so much. */
const CLOCKS_APART_MS = 60_000;
/** What ends sooner can't be renewed in time, as `schedule` counts; our own CAs know best what they have left. */
const SHORTEST_REST_MS = 10_000;

/** Where an authority states its CA with each certificate, what came with it is to be trusted too. */
export function trustFor({ ca = [] }: Issued, { trust, isStatedWithAnswers }: TrustOf): TrustBundle {
  if (isStatedWithAnswers && !ca.every(({ fingerprintSHA256 }) => trust.anchors.has(fingerprintSHA256)))
    return bundleOf([...trust.anchors.values(), ...ca]);
  return trust.anchors.size > 0 ? trust : bundleOf(ca);
}

type TrustOf = Pick<AuthorityView, 'trust' | 'isStatedWithAnswers'>;

/** The part of it to which an answer must lead: not that of a fallback, which is in every ca.crt too. */
export function ownTrustFor(issued: Issued, view: AuthorityView): TrustBundle {
  return trustFor(issued, { ...view, trust: ownTrustOf(view) });
}

/** What was issued, with its key. Throws a RetryableError unless everything about it is as it was asked for. */
export async function proven(
  issued: Issued,
  key: KeyObject,
  seen: Observed,
  view: AuthorityView,
  clock: Clock,
  { releaseWorker, signal }: Run,
): Promise<UnpublishedCertificate> {
  const made = { issued, key, issuedAt: clock.now() };
  let flaw = flawOf(made, seen, view, clock.now());
  const { validInMs } = flaw ?? {};
  if (validInMs !== undefined) {
    // An authority whose clock is a little ahead: hold the certificate back until a verifier would take it. It may be all
    // of its certificates, and those of others must not wait for them.
    await releaseWorker(() => clock.sleep(validInMs, signal));
    flaw = flawOf(made, seen, view, clock.now());
  }
  if (flaw !== undefined) throw refusedAnswer(flaw);
  // A moment before its begin would not be believed when it is read again.
  return validInMs === undefined ? made : { ...made, issuedAt: clock.now() };
}

/** What was made before the spec has changed, or the request of the client, is over another key, or one that Certwheel has made. */
function isWantedKey(key: KeyObject, spec: CertificateSpec): boolean {
  if (spec.csr === undefined) return key.type === 'private';
  return requestOf(spec)?.publicKeyPin === publicKeyPin(publicKeyDer(key)) && key.type === 'public';
}

export function refusedAnswer({ problem, isOfAnotherCa }: Flaw): RetryableError {
  const remedy =
    isOfAnotherCa === true ? '; if the authority has a trustBundle, it must hold the CA that signs now' : '';
  return new RetryableError('InvalidAnswer', `the authority's answer was refused: ${problem}${remedy}`);
}

const COMPROMISED =
  'it was issued over the private key of the certificate that is to be revoked for keyCompromise, before that was asked for';

/** What is wrong with it at this moment, if anything is. */
export function flawOf(made: UnpublishedCertificate, seen: Observed, view: AuthorityView, now: Date): Flaw | undefined {
  const { issued, key, issuedAt } = made;
  const { identity, durationMs } = seen.resource.spec;
  if (!isWantedKey(key, seen.resource.spec)) return { problem: 'it was issued over another key than that of spec.csr' };
  const der = publicKeyDer(key);
  if (isCompromised(publicKeyPin(der), seen, now)) return { problem: COMPROMISED };
  const expected = {
    publicKeyDer: der,
    ...identity,
    now,
    notAfterLimit:
      view.capabilities.lifetime === 'rounded'
        ? undefined
        : new Date(issuedAt.getTime() + durationMs + CLOCKS_APART_MS),
    goodUntil: view.capabilities.remote ? new Date(now.getTime() + SHORTEST_REST_MS) : undefined,
    usedSerials: usedSerials(made, seen),
  };
  const anchors = [...ownTrustFor(issued, view).anchors.values()];
  const { chain } = issued;
  return (
    proveIssued({ chain, intermediates: view.intermediates, anchors, expected, carries: view.capabilities.identity }) ??
    beyondLimit(made, view) ??
    foreignSystemName(chain[0]?.subject, identity.subject) ??
    (view.capabilities.remote ? foreignEncoding(chain[0]) : undefined)
  );
}

/** What is asked for keeps within the limit; what an authority makes of it may not. */
export function beyondLimit(
  { issued, issuedAt }: UnpublishedCertificate,
  { capabilities, limits }: Pick<AuthorityView, 'capabilities' | 'limits'>,
): Flaw | undefined {
  const { maxDurationMs } = limits;
  const [leaf] = issued.chain;
  if (leaf === undefined || maxDurationMs === undefined || capabilities.lifetime !== 'rounded') return undefined;
  const grantedMs = leaf.notAfter.getTime() - issuedAt.getTime();
  if (grantedMs <= maxDurationMs + CLOCKS_APART_MS) return undefined;
  const granted = formatDuration(Math.round(grantedMs / 60_000) * 60_000);
  return {
    problem: `it is valid for ${granted} where limits.maxDuration of the authority is ${formatDuration(maxDurationMs)}: raise that, or have the authority grant less`,
  };
}

function foreignEncoding(leaf: CertificateView | undefined): Flaw | undefined {
  const problem = leaf && encodingProblem(leaf);
  return problem === undefined
    ? undefined
    : { problem: `the certificate is not readable by all verifiers: ${problem}` };
}

/** Where an authority fills the subject by itself, it still must not add a name of Kubernetes' own. */
function foreignSystemName(answered: Subject | undefined, asked: Subject): Flaw | undefined {
  const known = [...valuesOf(asked, 'commonName'), ...valuesOf(asked, 'organizations')];
  const names = answered && [...valuesOf(answered, 'commonName'), ...valuesOf(answered, 'organizations')];
  const foreign = names?.find((name) => isSystemName(name) && !known.includes(name));
  return foreign === undefined
    ? undefined
    : { problem: `the subject holds ${quote([foreign])}, which was not requested` };
}

/** Of this authority; but an answer that is in the Secret already, since only its being there got lost, is no other one. */
function usedSerials({ issued }: UnpublishedCertificate, { resource, secret, held }: Observed): readonly string[] {
  if (secret === undefined || secret.memory.authority !== authorityName(resource)) return [];
  if (held?.fingerprintSHA256 === issued.chain[0]?.fingerprintSHA256) return [];
  return readLedger(secret.memory.ledger).entries.map(({ serialNumber }) => serialNumber);
}
