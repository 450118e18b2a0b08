import { isDeepStrictEqual } from 'node:util';
import { authorityConditions, authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import type { Clock } from '../clock.ts';
import { RetryableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { ProofsOwed } from '../rotation/members.ts';
import type { Member } from '../rotation/plan-types.ts';
import { trustedNow } from '../rotation/trusted.ts';
import { messageOf } from '../thrown.ts';
import { reportable, type Trouble, troubleOf } from '../trouble.ts';
import { FALLBACK_SECRET, fallbackManifest, readFallbackSecret, textsOf } from './fallback-secret.ts';
import { FALLBACK_READY } from './fallback-status.ts';
import { type KeptTrust, nextKept } from './fallback-trust.ts';
import type { Runtime } from './runtime.ts';

/** Certificates of a former fallback end without an event. */
const LOOK_AGAIN_MS = 60_000;

interface FallbacksDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
  /** The fallback of an authority as it runs; undefined where it doesn't. */
  runtimeOf(resource: CertificateAuthority): Runtime | undefined;
  members(key: string): readonly Member[];
  namespaceOf(resource: CertificateAuthority): string;
  read(namespace: string, name: string): Promise<RawObject | undefined>;
  apply(manifest: ReturnType<typeof fallbackManifest>): Promise<RawObject>;
}

interface Known {
  /** Of the authority; another one of its name may follow without a pause. */
  readonly uid: string;
  readonly kept: KeptTrust | undefined;
  readonly stored: RawObject | undefined;
}

/**
 * Keeps, in a Secret beside each authority that has a fallback, the CA certificates of both as they were known last. Without it a
 * restart during an outage would take the CA of the authority out of what its fallback issues, and a fallback that is deleted, or
 * taken out of the spec, would leave certificates that their own ca.crt refuses.
 */
export class Fallbacks {
  readonly #deps: FallbacksDeps;
  readonly #known = new Map<string, Known>();
  readonly #problems = new Map<string, Trouble>();

  constructor(deps: FallbacksDeps) {
    this.#deps = deps;
  }

  /**
   * Brings what is kept up to date, in the runtime too: stored first, since what is in a ca.crt must be known after a restart.
   * Returns when to look again where it keeps what the fallback doesn't state any more. Throws ProofsOwed alone; any other failure
   * is kept for problemOf.
   */
  async look(resource: CertificateAuthority, runtime: Runtime): Promise<Date | undefined> {
    const key = authorityKey(resource);
    this.#problems.delete(key);
    // The status is output: by it a Secret is read, and nothing else follows from it.
    const wasUsed = authorityConditions(resource.status).some(({ type }) => type === FALLBACK_READY);
    if (resource.fallback === undefined && !wasUsed && !this.#known.has(key)) return undefined;
    try {
      return await this.#update(resource, runtime);
    } catch (thrown) {
      if (thrown instanceof ProofsOwed) throw thrown;
      // An authority works without its fallback.
      this.#problems.set(key, troubleOf(reportable(thrown, this.#deps.log)));
      return new Date(this.#deps.clock.now().getTime() + LOOK_AGAIN_MS);
    }
  }

  /**
   * The same where another replica keeps the state: reads what is stored, and writes nothing. Returns when to look again, since
   * no event wakes the authority for it.
   */
  async follow(resource: CertificateAuthority, runtime: Runtime): Promise<Date | undefined> {
    const key = authorityKey(resource);
    this.forget(key);
    const wasUsed = authorityConditions(resource.status).some(({ type }) => type === FALLBACK_READY);
    if (resource.fallback === undefined && !wasUsed) return undefined;
    try {
      runtime.fallback = (await this.#load(resource)).kept;
    } catch (thrown) {
      this.#problems.set(key, troubleOf(reportable(thrown, this.#deps.log)));
    }
    return new Date(this.#deps.clock.now().getTime() + LOOK_AGAIN_MS);
  }

  /** Why the trust in its fallback can't be kept; it isn't trusted before it is. */
  problemOf(key: string): Trouble | undefined {
    return this.#problems.get(key);
  }

  async #update(resource: CertificateAuthority, runtime: Runtime): Promise<Date | undefined> {
    const key = authorityKey(resource);
    const cached = this.#known.get(key);
    const known = cached?.uid === resource.uid ? cached : await this.#load(resource);
    const scene = {
      name: resource.fallback,
      own: trustedNow(runtime),
      stated: this.#statedBy(resource),
      kept: known.kept,
      members: () => this.#deps.members(key),
    };
    const now = this.#deps.clock.now();
    const kept = nextKept(scene, now);
    runtime.fallback = known.kept;
    this.#known.set(key, await this.#store(resource, known, kept));
    runtime.fallback = kept;
    const keepsMore = kept !== undefined && kept.further.length > (scene.stated?.length ?? 0);
    return keepsMore ? new Date(now.getTime() + LOOK_AGAIN_MS) : undefined;
  }

  /** The authority is gone. What is kept stays, like its CA generations. */
  forget(key: string): void {
    this.#known.delete(key);
    this.#problems.delete(key);
  }

  #statedBy(resource: CertificateAuthority): readonly CertificateView[] | undefined {
    const fallback = this.#deps.runtimeOf(resource);
    const stated = fallback === undefined ? [] : trustedNow(fallback);
    return stated.length === 0 ? undefined : stated;
  }

  async #load(resource: CertificateAuthority): Promise<Known> {
    const { uid } = resource;
    const [namespace, name] = [this.#deps.namespaceOf(resource), FALLBACK_SECRET.nameOf(resource)];
    const stored = await this.#deps.read(namespace, name);
    if (stored === undefined) return { uid, kept: undefined, stored };
    if (!FALLBACK_SECRET.isOf(stored, resource))
      throw new RetryableError(
        'SecretNotOwned',
        `Secret ${namespace}/${name} is to keep the CA certificates of its fallback, and that Secret isn't Certwheel's; rename it`,
      );
    try {
      return { uid, kept: readFallbackSecret(stored, resource), stored };
    } catch (error) {
      const authority = authorityKey(resource);
      this.#deps.log.warn('the kept CA certificates of a fallback are not used', {
        authority,
        error: messageOf(error),
      });
      return { uid, kept: undefined, stored };
    }
  }

  async #store(resource: CertificateAuthority, known: Known, kept: KeptTrust | undefined): Promise<Known> {
    // It is emptied, because the admission policy of the chart denies Certwheel its deletion.
    const content = kept ?? NOTHING;
    const isStored = isDeepStrictEqual(textsOf(known.kept ?? NOTHING), textsOf(content));
    if (isStored) return { ...known, kept };
    const { ownership, namespaceOf, apply } = this.#deps;
    const key = authorityKey(resource);
    ownership.assert(key);
    try {
      const namespace = namespaceOf(resource);
      const current = known.stored ?? (await apply(FALLBACK_SECRET.blank(resource, namespace)));
      const stored = await apply(fallbackManifest(resource, namespace, content, current));
      return { uid: resource.uid, kept, stored };
    } catch (error) {
      // Another replica may have written it.
      this.#known.delete(key);
      throw error;
    }
  }
}

const NOTHING: KeptTrust = { name: '', own: [], further: [] };
