import { parseDuration } from '../../api/duration.ts';
import type { ExternalRoot, SelfManagedBackend } from '../../api/generated/types.ts';
import { parseKeySpec } from '../../api/key-spec.ts';
import * as names from '../../api/names.ts';
import { RetryableError } from '../../errors.ts';
import type { CaPath } from '../../pki/ca.ts';
import { successorDue } from '../../pki/ca-life.ts';
import { CaReader } from '../../pki/ca-reader.ts';
import { caSigner } from '../../pki/ca-signer.ts';
import { makeCsr } from '../../pki/csr.ts';
import { type PrivateKey, publicKeyDer } from '../../pki/keys.ts';
import { NO_NAMES } from '../../pki/san.ts';
import type { Aside } from '../../pki/signer.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import type { KeptState } from '../backend-state.ts';
import { type CsrRequest, csrName } from '../external/csr-manifest.ts';
import { CsrPace, csrObject, removeCsr } from '../external/csr-object.ts';
import { readTrustBundle } from '../shared/trust-bundle.ts';
import { makeKey, TEN_YEARS_MS } from './ca-key.ts';
import { dataOf, idOf, type KeptRequest, newRequest, requestIn, wantedOf } from './kept-request.ts';
import { signedPair } from './signed-pair.ts';

const USAGES = ['cert sign', 'crl sign'];

/**
 * The `keyPair` of a CA whose certificate a person gets from a root elsewhere. The key is stored first, then its CSR is
 * handed out, so that after a crash, and in another replica, the same CSR goes on. Until it is signed an AuthorityError
 * CAUnsigned says what to do, and the former CA goes on.
 */
export function caBelowRoot(
  spec: SelfManagedBackend,
  root: ExternalRoot,
  deps: BackendDeps,
): NonNullable<Backend['keyPair']> {
  const reader = new CaReader();
  const pace = new CsrPace(deps.clock);
  const keyPace = new CsrPace(deps.clock);
  // What an earlier process left is looked for once.
  let isTidy = false;
  const isDue = ({ certificate }: CaPath) => deps.clock.now() >= successorDue(certificate);
  return async (newest, nextVersion, _signal, aside) => {
    const trust = await readTrustBundle(root.trustBundle, deps);
    const isBelowRoot = trust.anchors.some(
      ({ fingerprintSHA256 }) => fingerprintSHA256 === newest?.anchor.fingerprintSHA256,
    );
    const isCurrent = newest !== undefined && isBelowRoot && !isDue(newest);
    if (isCurrent && isTidy) return newest;
    let kept = await deps.state.read();
    const asked = requestIn(kept?.data);
    const answered = asked && deps.trusted().find((path) => isKeyOf(path, asked.key));
    const isOver =
      asked !== undefined && (isCurrent || isKeyOf(newest, asked.key) || (answered !== undefined && isDue(answered)));
    if (isOver) kept = await forget(asked, kept, deps);
    // Another replica that was behind may have handed out the CSR once more after it was over.
    else if (isCurrent) await removeCsr(markOf(deps), deps.objects, deps);
    isTidy = isCurrent;
    if (isCurrent) return newest;

    // It is a generation, and made before the moment at which it was asked for, by its own notBefore.
    if (answered && !isOver) return { ...answered, signer: caSigner(asked.key, asked.pem) };

    const request = await requestFor(spec, kept, nextVersion, deps, keyPace, aside);
    const csr = csrOf(spec, request, deps);
    // From now on its changes wake the authority.
    await deps.configMap(csrName(csr));
    const found = await csrObject(csr, root.instructions, deps.objects, pace);
    const ends = deps.signing()?.path.certificate.notAfter;
    return signedPair({ found, request, root, trust, ends }, reader, deps.clock.now(), aside);
  };
}

function isKeyOf(path: CaPath | undefined, key: PrivateKey): boolean {
  return path?.certificate.publicKeyDer.equals(publicKeyDer(key)) === true;
}

interface NamedRequest extends KeptRequest {
  readonly subject: { readonly commonName: string };
}

/** The request under way, or a new one, whose key is stored. */
async function requestFor(
  spec: SelfManagedBackend,
  kept: KeptState | undefined,
  version: number,
  deps: BackendDeps,
  pace: CsrPace,
  aside: Aside,
): Promise<NamedRequest> {
  const keySpec = parseKeySpec(spec.privateKey);
  // Two CAs of one name confuse verifiers that look for an issuer by name, so each generation has a name of its own.
  const subject = { ...spec.subject, commonName: `${spec.commonName} v${version}` };
  const wanted = wantedOf(subject, keySpec);
  const asked = requestIn(kept?.data);
  if (asked?.wanted === wanted) return { ...asked, subject };
  // A writer of the trust bundle who swaps two roots, or of the Secret of the key, has a CA requested each time.
  const retryAfterMs = pace.waitMs(csrName(markOf(deps)));
  if (retryAfterMs > 0) throw replaced(deps, retryAfterMs);
  const request = newRequest(await makeKey(keySpec, aside), wanted);
  // Refused where another replica has stored another key meanwhile: the next look reads that one.
  await deps.state.write(dataOf(request), kept);
  return { ...request, subject };
}

function replaced(deps: BackendDeps, retryAfterMs: number): RetryableError {
  const name = csrName(markOf(deps));
  const { namespace } = deps.objects;
  return new RetryableError(
    'TooManyChanges',
    `the CSR of this CA was replaced by one with another key several times in a row; find out what changes the trust bundle of spec.selfManaged.externalRoot or the Secret ${namespace}/${name} all the time: kubectl get secret -n ${namespace} ${name} -o jsonpath='{.metadata.managedFields}'`,
    { retryAfterMs },
  );
}

/** Where a person isn't to sign the CA any more: withdraws the CSR, and forgets its key. */
export async function withdrawRequest(deps: BackendDeps): Promise<void> {
  const kept = await deps.state.read();
  const asked = requestIn(kept?.data);
  if (asked !== undefined) await forget(asked, kept, deps);
}

async function forget(asked: KeptRequest, kept: KeptState | undefined, deps: BackendDeps): Promise<KeptState> {
  await removeCsr({ ...markOf(deps), id: idOf(asked) }, deps.objects, deps);
  return deps.state.write({}, kept);
}

/** The ConfigMap is called like the Secret that keeps the key: `<authority>-ca-request`, `<authority>-clusterca-request`. */
function markOf({ name, uid, clusterWide }: BackendDeps) {
  return { name: `${ownName(name)}-${clusterWide ? 'clusterca' : 'ca'}`, uid, isOfCA: true };
}

function ownName(name: string): string {
  return name.split('/').at(-1) ?? name;
}

function csrOf(spec: SelfManagedBackend, request: NamedRequest, deps: BackendDeps): CsrRequest {
  const { key, subject } = request;
  const resource = deps.clusterWide ? names.CLUSTER_CERTIFICATE_AUTHORITIES : names.CERTIFICATE_AUTHORITIES;
  const name = ownName(deps.name);
  const identity = { subject, names: NO_NAMES, usages: USAGES };
  return {
    ...markOf(deps),
    id: idOf(request),
    owner: { resource, name },
    says: { [names.AUTHORITY_ANNOTATION]: `${resource.kind}/${name}` },
    identity,
    lifetimeMs: parseDuration(spec.duration) ?? TEN_YEARS_MS,
    csr: () => makeCsr({ key, ...identity, isCA: true }),
  };
}
