import type { CaPath } from '../../src/pki/ca.ts';
import { isInBundle } from '../../src/rotation/generation.ts';
import { SECOND } from './builders.ts';
import { accepts } from './rotation-cas.ts';
import type { RotationMember } from './rotation-member.ts';
import type { Held } from './rotation-workload.ts';
import { DEADLINE_S, type RotationWorld } from './rotation-world.ts';

/** A certificate that can be renewed is renewed so long before it ends that this much of trouble does no harm. */
const RECOVERY_S = 45;

/** What must hold at each moment of a CA rotation, whatever happens. */
export class RotationInvariants {
  /** Since when each root is trusted, and since when certificates below it are published, by its key. */
  readonly #trustedSince = new Map<string, Date>();
  readonly #usedSince = new Map<string, Date>();
  /** When each member came, lost its Secret, or could not be renewed; the last of these. */
  readonly #hinderedAt = new Map<RotationMember, Date>();
  readonly #before = new Map<RotationMember, Held | undefined>();

  readonly check = (world: RotationWorld): void => {
    this.#note(world);
    for (const each of world.members) this.#checkWorkload(each, world);
    this.#checkTrust(world);
    for (const each of world.members) this.#checkSecret(each, world);
  };

  #note(world: RotationWorld): void {
    const { generations, members, now } = world;
    const trusted = new Set(generations.filter(isInBundle).map(({ path }) => rootKeyOf(path)));
    for (const id of this.#trustedSince.keys())
      if (!trusted.has(id)) for (const each of [this.#trustedSince, this.#usedSince]) each.delete(id);
    for (const id of trusted) if (!this.#trustedSince.has(id)) this.#trustedSince.set(id, now);
    for (const each of members) {
      const { stored } = each;
      const isMember = stored !== undefined && stored.end > now && countsAsMember(each, world);
      const isInUse = isMember && !stored.isLost;
      if (isInUse && !this.#usedSince.has(rootKeyOf(stored.ca))) this.#usedSince.set(rootKeyOf(stored.ca), now);
      for (const held of [stored, ...each.workload.known]) {
        if (held === undefined) continue;
        held.isLost ||= !isMember;
        held.isStuck ||= !each.isWritable;
      }
      const isNew = !this.#before.has(each);
      const hasLost = this.#before.get(each) !== undefined && stored === undefined;
      this.#before.set(each, stored);
      if (isNew || hasLost || !isIssuable(each, world)) this.#hinderedAt.set(each, now);
    }
  }

  /** No workload refuses a certificate of another one. */
  #checkWorkload({ key, workload }: RotationMember, { members, now }: RotationWorld): void {
    const verifier = workload.loaded;
    if (verifier === undefined || verifier.isLost) return;
    for (const other of members) {
      const shown = other.workload.loaded;
      if (shown === undefined || shown.isLost || shown.end <= now || accepts(verifier.roots, shown.ca)) continue;
      if (!(verifier.isStuck && this.#waitedFor(shown)))
        fail(`${key} refuses a certificate of ${shown.ca.anchor.subjectText} that ${other.key} shows`, now);
    }
  }

  /** Whether the CA did not sign before a member that can't be written had its time. */
  #waitedFor({ ca }: Held): boolean {
    const [trusted, used] = [this.#trustedSince.get(rootKeyOf(ca)), this.#usedSince.get(rootKeyOf(ca))];
    return trusted !== undefined && used !== undefined && used.getTime() - trusted.getTime() >= DEADLINE_S * SECOND;
  }

  /** What signs is trusted, what is trusted was made here, and nothing is dropped that a valid certificate needs. */
  #checkTrust({ generations, members, secrets, signing, view, now }: RotationWorld): void {
    const outside = generations.find(({ secret }) => !secrets.made.has(secret.uid));
    if (outside !== undefined) fail(`${outside.secret.name} is trusted, and came from outside`, now);
    if (view === undefined) return;
    const published = [...view.trust.anchors.values()];
    if (signing !== undefined && !accepts(published, signing)) fail('what signs is not in the trust bundle', now);
    const roots = generations.filter(isInBundle).map(({ path }) => path.anchor);
    for (const { key, stored, workload } of members)
      for (const held of [stored, ...workload.known])
        if (held !== undefined && !held.isLost && held.end > now && !accepts(roots, held.ca))
          fail(`${held.ca.anchor.subjectText} was dropped, and ${key} has a valid certificate of it`, now);
  }

  /** A Secret holds no certificate that its own ca.crt refuses, and none that expired though it could be renewed. */
  #checkSecret(member: RotationMember, { now }: RotationWorld): void {
    const { key, stored } = member;
    if (stored !== undefined && !accepts(stored.roots, stored.ca)) fail(`${key} holds a ca.crt that refuses it`, now);
    const hinderedAt = this.#hinderedAt.get(member);
    const isRecovered = hinderedAt === undefined || now.getTime() - hinderedAt.getTime() > RECOVERY_S * SECOND;
    if (isRecovered && (stored === undefined || stored.end <= now)) fail(`${key} has no valid certificate`, now);
  }
}

/** Without a ClientCertificate that can be read, the marks of a Secret count, in a namespace that the authority serves. */
function countsAsMember(member: RotationMember, { refused }: RotationWorld): boolean {
  return member.hasResource || (member.isMarked && refused.get(member) !== 'namespace');
}

function isIssuable(member: RotationMember, { refused, view, signing, authority }: RotationWorld): boolean {
  const isAllowed = !refused.has(member) && !member.resource.spec.suspended;
  // A limit that was lifted counts from the next reconcile of the authority.
  const isReady = signing !== undefined && view?.limits.usages?.length === authority.limits.usages?.length;
  return isAllowed && isReady && member.isWritable;
}

/** A root that was renewed with its key verifies the same certificates. */
function rootKeyOf({ anchor }: CaPath): string {
  return anchor.publicKeyPin;
}

function fail(problem: string, now: Date): never {
  throw new Error(`${now.toISOString()}: ${problem}`);
}
