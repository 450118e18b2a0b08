import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { classify } from '../errors.ts';
import type { RevocationsDeps } from './deps.ts';
import type { Kept } from './kept.ts';
import { type Addition, addTo, hasMore, type Register, type Registered, withoutExpired } from './register.ts';
import { REGISTER_SECRET, readRegisterSecret, registerManifest } from './register-secret.ts';
import { searchLedgers } from './search.ts';
import type { Problem } from './status.ts';
import { about, tellOnce } from './told.ts';

/** So long after its end a certificate stays in the register: see withoutExpired. */
const GRACE_MS = 3_600_000;

/**
 * Writes what is asked for into the register, also where another replica has the authority. Answers what there was no room for;
 * undefined where the register can't be had: `kept` says why, and the authority works without.
 */
export async function noteDown(
  resource: CertificateAuthority,
  kept: Kept,
  deps: RevocationsDeps,
  { isFollowed = false } = {},
): Promise<readonly Problem[] | undefined> {
  const { clock, issued, log, noted } = deps;
  try {
    await readRegister(resource, kept, deps);
    if (!isFollowed) await searchLedgers(kept, resource.revocation, () => issued(resource), clock.now());
    const now = clock.now();
    const asked = new Map(kept.asked);
    // A CRL has to list it once more after its end, and the next one may be as far away as half of the validity.
    const graceMs = kept.ability?.by === 'crl' ? resource.revocation.crlValidityMs : GRACE_MS;
    const before = withoutExpired(kept.register, Math.max(graceMs, GRACE_MS), now);
    const { register, left } = addTo(before, asked.values(), now, resource.kind === 'ClusterCertificateAuthority');
    if (hasMore(register, before)) {
      for (const [serial, entry] of register)
        if (!before.has(serial)) tellOnce(kept, 'noted', entry, () => noted(resource, entry));
      await writeRegister(resource, kept, register, isFollowed ? deps.assertActive : ownershipOf(resource, deps), deps);
    } else kept.register = before;
    // What there is no room for has nothing to learn, and there may be a hundred thousand of them.
    for (const each of left) asked.delete(each.serialNumber);
    // An owner also of an entry that was noted down before: its finalizer waits. Without an owner only for a new entry, or each look
    // would wake all certificates.
    const isNew = ({ serialNumber }: Addition) => register.get(serialNumber) !== before.get(serialNumber);
    wakeHolders(
      [...asked.values()].filter((each) => each.owner !== undefined || isNew(each)),
      resource,
      deps,
    );
    for (const [serial, addition] of asked) if (kept.asked.get(serial) === addition) kept.asked.delete(serial);
    for (const serial of kept.attempts.keys()) if (!register.has(serial)) kept.attempts.delete(serial);
    kept.problem = undefined;
    return left.map(({ serialNumber }) => ({
      serialNumber,
      reason: 'RegisterFull',
      message:
        'the register of revocations is full, or the share that one namespace has of it; it has room again when certificates in it have expired',
    }));
  } catch (thrown) {
    kept.isRead = false;
    const { code, message } = classify(thrown);
    // A lost race is settled by the next look.
    if (code === 'Conflict') return undefined;
    if (kept.problem !== message)
      log.warn('the register of revocations can not be used', { ...about(resource), code, error: message });
    kept.problem = message;
    return undefined;
  }
}

/** Reads the register where that wasn't done yet. Throws what the API server answers. */
export async function readRegister(resource: CertificateAuthority, kept: Kept, deps: RevocationsDeps): Promise<void> {
  if (kept.isRead) return;
  // Before the answer: what changes after that was read is to be read again.
  kept.isRead = true;
  try {
    const stored = await deps.read(deps.namespaceOf(resource), REGISTER_SECRET.nameOf(resource));
    const former = kept.register;
    kept.register = stored === undefined ? new Map() : readRegisterSecret(stored);
    kept.stored = stored;
    wakeHolders(newsIn(kept.register, former, deps.clock.now()), resource, deps);
  } catch (error) {
    kept.isRead = false;
    throw error;
  }
}

/**
 * What has changed, each with the ClientCertificate whose it is, or was until it was done. Where several replicas write a register,
 * each of them reads it some times a minute.
 */
function newsIn(register: Register, former: Register, now: Date): Pick<Registered, 'owner'>[] {
  const news: Pick<Registered, 'owner'>[] = [];
  for (const [serial, entry] of register) {
    const before = former.get(serial);
    if (before === undefined || before.reason !== entry.reason || isDone(before) !== isDone(entry))
      news.push({ owner: entry.owner ?? before?.owner });
  }
  // A restored backup lacks what was noted down since, and its certificates ask again.
  for (const [serial, { owner, notAfter }] of former) if (!register.has(serial) && notAfter > now) news.push({ owner });
  return news;
}

/** Wakes the owners. Where an entry has none, all certificates of the authority: one of them may hold that certificate. */
function wakeHolders(
  entries: Iterable<Pick<Addition, 'owner'>>,
  resource: CertificateAuthority,
  deps: Pick<RevocationsDeps, 'wakeCertificate' | 'wakeMembers'>,
): void {
  const all = [...entries];
  if (all.some(({ owner }) => owner === undefined)) deps.wakeMembers(authorityKey(resource));
  wakeOwners(all, deps);
}

function isDone({ revokedAt }: Registered): boolean {
  return revokedAt !== undefined;
}

/** Stores the register. `assertMay` throws where this replica may not; throws what the API server answers, too. */
export async function writeRegister(
  resource: CertificateAuthority,
  kept: Kept,
  register: Register,
  assertMay: () => void,
  { apply, namespaceOf }: Pick<RevocationsDeps, 'apply' | 'namespaceOf'>,
): Promise<void> {
  const namespace = namespaceOf(resource);
  assertMay();
  kept.stored ??= await apply(REGISTER_SECRET.blank(resource, namespace));
  kept.stored = await apply(registerManifest(resource, namespace, register, kept.stored));
  kept.register = register;
  kept.told.clear();
}

/** Throws once another replica has the authority. */
export function ownershipOf(
  resource: CertificateAuthority,
  { ownership }: Pick<RevocationsDeps, 'ownership'>,
): () => void {
  return () => ownership.assert(authorityKey(resource));
}

/** Reconciles the ClientCertificates that own these entries. */
export function wakeOwners(
  entries: Iterable<Pick<Addition, 'owner'>>,
  { wakeCertificate }: Pick<RevocationsDeps, 'wakeCertificate'>,
): void {
  for (const { owner } of entries) if (owner !== undefined) wakeCertificate(owner);
}
