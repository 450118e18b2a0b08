import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { earliest } from '../api/moments.ts';
import { pauseMs } from '../authority/pace.ts';
import type { Runtime } from '../authority/runtime.ts';
import { type RevocationView, revokesAny } from '../certificate/revocation/view.ts';
import { classify } from '../errors.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Run } from '../queue/controller.ts';
import { isInBundle } from '../rotation/generation.ts';
import { abilityOf } from './ability.ts';
import { triedAgainAt } from './attempts.ts';
import { type CrlFindings, reportedCrls } from './crl/crls.ts';
import type { RevocationsDeps } from './deps.ts';
import { isNews, type Kept, nothingKept, revokedBy, stateOf } from './kept.ts';
import { type Addition, markRevoked, owedIn, type Registered } from './register.ts';
import { requestRevocations } from './request.ts';
import { LEDGERS_EACH_MS, wantsLedgers } from './search.ts';
import { findingsOf, NO_REVOCATIONS, type RevocationFindings } from './status.ts';
import { noteDown, ownershipOf, readRegister, wakeOwners, writeRegister } from './stored-register.ts';
import { about, failureOf, tellOnce } from './told.ts';

/** So long after the first that is asked for, they are noted down together; see pauseMs. */
const TOGETHER_MS = 500;
/** The deletion of a ClientCertificate waits for that, and not for ever. */
const LONGEST_TOGETHER_MS = 5_000;
const TRY_AGAIN_MS = 30_000;
/** They take about two hours. */
const WITHDRAWALS = 20;
const WITHDRAW_AGAIN = { firstMs: 1_000, longestMs: 600_000 };

/** The revocations that authorities owe, and those that are done. */
export class Revocations {
  readonly #deps: RevocationsDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: RevocationsDeps) {
    this.#deps = deps;
  }

  /** Certificates have to be revoked. Harmless where that is known already; `owner` is `namespace/name`. */
  ask(authority: string, owner: string, wishes: readonly Addition[]): void {
    const kept = this.#of(authority);
    const fresh = wishes.filter((each) => isNews(each, kept));
    if (fresh.length === 0) return;
    for (const each of fresh) kept.asked.set(each.serialNumber, { ...each, owner });
    // One that can't revoke has its certificates reconciled, which ask again.
    if (kept.ability?.by !== 'nothing')
      this.#deps.wakeAuthority(
        authority,
        this.#after(Math.min(pauseMs(kept.certificates, TOGETHER_MS), LONGEST_TOGETHER_MS)),
      );
  }

  viewOf(resource: CertificateAuthority): RevocationView {
    const kept = this.#of(authorityKey(resource));
    return {
      policy: resource.revocation,
      unable: kept.ability?.by === 'nothing' ? kept.ability.because : undefined,
      stateOf: (serialNumber) => stateOf(kept, serialNumber),
    };
  }

  /** The authority is gone: nobody asks for its CRLs any more. */
  forget(authority: string): void {
    const uid = this.#kept.get(authority)?.uid;
    this.#kept.delete(authority);
    this.#deps.registers?.leave(authority);
    if (uid !== undefined) void this.#withdraw(authority, uid);
  }

  /** Tries again, because only this process knows of these CRLs. Never rejects. */
  async #withdraw(authority: string, uid: string): Promise<void> {
    const { clock, crls, log } = this.#deps;
    for (let attempt = 1; attempt <= WITHDRAWALS; attempt++)
      try {
        await crls.withdraw(uid);
        return;
      } catch (thrown) {
        const { code, message } = classify(thrown);
        const level = attempt === 1 || attempt === WITHDRAWALS ? 'warn' : 'debug';
        log[level]('the CRLs of a deleted authority could not be removed', {
          authority,
          attempt,
          code,
          error: message,
        });
        await clock.sleep(backoffMs(attempt, WITHDRAW_AGAIN, clock.random()));
      }
  }

  /** Another replica publishes the CRLs from now on, or has until now: what is known of them and of the register is old. */
  leave(resource: CertificateAuthority): void {
    const authority = authorityKey(resource);
    const known = this.#kept.get(authority);
    this.#kept.delete(authority);
    // Its certificates don't ask again by themselves, unless they have left with it.
    const staysHere = resource.kind === 'ClusterCertificateAuthority';
    if (staysHere && known !== undefined && known.asked.size > 0)
      this.#kept.set(authority, { ...nothingKept(), asked: known.asked });
    this.#deps.crls.leave(resource.uid);
  }

  /**
   * Reads the register once, before certificates of the authority are looked at: one that is revoked must not be taken for a good
   * one. Never throws, since `look` tries again and says what is wrong.
   */
  async learn(resource: CertificateAuthority, runtime: Runtime): Promise<void> {
    const ability = abilityOf(resource, runtime);
    if (ability.by === 'nothing') return;
    const kept = this.#of(authorityKey(resource));
    kept.ability = ability;
    await readRegister(resource, kept, this.#deps).catch(() => {});
  }

  /**
   * The same where another replica has the authority: notes down what certificates of this one ask for, and learns what has become
   * of it. Returns when to look again.
   */
  async follow(resource: CertificateAuthority, runtime: Runtime): Promise<Date | undefined> {
    const kept = this.#of(authorityKey(resource));
    kept.certificates = runtime.certificates ?? 0;
    kept.ability = abilityOf(resource, runtime);
    if (kept.ability.by === 'nothing') {
      wakeOwners(kept.asked.values(), this.#deps);
      kept.asked.clear();
      return undefined;
    }
    this.#watch(resource, kept);
    const left = await noteDown(resource, kept, this.#deps, { isFollowed: true });
    if (kept.isRead && left?.length === 0) return undefined;
    return this.#after(kept.problem === undefined && (left ?? []).length === 0 ? TOGETHER_MS : TRY_AGAIN_MS);
  }

  /** Notes down what is asked for, and has the authority revoke what is owed. */
  async look(resource: CertificateAuthority, runtime: Runtime, run: Run): Promise<RevocationFindings> {
    const kept = this.#of(authorityKey(resource));
    kept.certificates = runtime.certificates ?? 0;
    const ability = abilityOf(resource, runtime);
    const isNewlyUnable = ability.by === 'nothing' && kept.ability?.by !== 'nothing';
    kept.ability = ability;
    if (ability.by === 'nothing') {
      const { serials } = resource.revocation;
      const isWanted = kept.asked.size > 0 || serials.length > 0 || revokesAny({ policy: resource.revocation });
      if (isNewlyUnable) wakeOwners(kept.asked.values(), this.#deps);
      kept.asked.clear();
      return { ...NO_REVOCATIONS, unable: isWanted ? ability.because : undefined };
    }
    this.#watch(resource, kept);
    const left = await noteDown(resource, kept, this.#deps);
    if (left === undefined) {
      const recheckAt = this.#after(kept.problem === undefined ? TOGETHER_MS : TRY_AGAIN_MS);
      return { ...findingsOf(kept, []), crls: reportedCrls(resource), recheckAt };
    }
    const published = ability.by === 'crl' ? await this.#publish(resource, runtime, kept) : undefined;
    const askAt = ability.by === 'request' ? await this.#request(resource, runtime, kept, run) : undefined;
    const searchAt = wantsLedgers(resource.revocation) ? this.#after(LEDGERS_EACH_MS) : undefined;
    const roomAt = left.length > 0 ? this.#after(TRY_AGAIN_MS) : undefined;
    // Another replica has written it.
    const readAt = kept.isRead ? undefined : this.#after(TOGETHER_MS);
    const recheckAt = earliest([askAt, published?.recheckAt, searchAt, roomAt, readAt]);
    const { crls = [], problems: crlProblems = [] } = published ?? {};
    return { ...findingsOf(kept, left), crls, crlProblems, recheckAt };
  }

  /** Where several replicas write the register, a watch tells of what another one has written. */
  #watch(resource: CertificateAuthority, kept: Kept): void {
    const authority = authorityKey(resource);
    this.#deps.registers?.watch(resource, (resourceVersion) => {
      const known = this.#kept.get(authority) ?? kept;
      if (known.stored?.metadata?.resourceVersion === resourceVersion) return;
      known.isRead = false;
      this.#deps.wakeAuthority(authority, this.#after(0));
    });
  }

  #of(authority: string): Kept {
    const known = this.#kept.get(authority);
    if (known !== undefined) return known;
    const kept = nothingKept();
    this.#kept.set(authority, kept);
    return kept;
  }

  #after(ms: number): Date {
    return new Date(this.#deps.clock.now().getTime() + ms);
  }

  async #publish(resource: CertificateAuthority, runtime: Runtime, kept: Kept): Promise<CrlFindings> {
    const trusted = runtime.generations.filter(isInBundle).map(({ path }) => path.certificate.fingerprintSHA256);
    const present = new Set(trusted);
    const published = await this.#deps.crls.look(resource, runtime, (issuer) =>
      revokedBy(issuer, kept.register, present),
    );
    if (published.crls.length > 0) kept.uid = resource.uid;
    const done = owedIn(kept.register).filter(({ serialNumber }) => published.listed.has(serialNumber));
    await this.#markDone(resource, kept, done);
    return published;
  }

  /** Answers when to ask again for what is still owed. */
  async #request(resource: CertificateAuthority, runtime: Runtime, kept: Kept, run: Run): Promise<Date | undefined> {
    const { clock } = this.#deps;
    const { attempts } = kept;
    const deps = {
      clock,
      attempts,
      assertOwned: ownershipOf(resource, this.#deps),
      failed: failureOf(resource, this.#deps),
    };
    await this.#markDone(resource, kept, await requestRevocations(owedIn(kept.register), runtime, deps, run));
    // Its probe wakes an authority that is away.
    if (runtime.breaker.trouble !== undefined) return undefined;
    const now = clock.now();
    return earliest(owedIn(kept.register).map(({ serialNumber }) => triedAgainAt(attempts.get(serialNumber), now)));
  }

  async #markDone(resource: CertificateAuthority, kept: Kept, done: readonly Registered[]): Promise<void> {
    if (done.length === 0) return;
    const { clock, log, revoked } = this.#deps;
    const serials = done.map(({ serialNumber }) => serialNumber);
    for (const entry of done) {
      const { serialNumber: serial, reason, owner } = entry;
      const of = owner === undefined ? {} : { certificate: owner };
      tellOnce(kept, 'revoked', entry, () => {
        log.info('certificate revoked', { ...about(resource), serial, reason, ...of });
        revoked(resource, entry);
      });
    }
    try {
      const register = markRevoked(kept.register, serials, clock.now());
      await writeRegister(resource, kept, register, ownershipOf(resource, this.#deps), this.#deps);
    } catch (thrown) {
      // What is lost here is asked for once more, which is no error.
      kept.isRead = false;
      const { code, message } = classify(thrown);
      log.warn('the register of revocations could not be written', { ...about(resource), code, error: message });
      return;
    }
    wakeOwners(done, this.#deps);
  }
}
