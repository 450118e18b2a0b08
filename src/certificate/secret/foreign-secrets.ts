import type { ClientCertificate } from '../../api/client-certificate.ts';
import { SECRETS } from '../../api/names.ts';
import { keyOf } from '../../api/parse.ts';
import type { Clock } from '../../clock.ts';
import type { Reference, References } from '../../kube/references.ts';
import { backoffMs } from '../../queue/backoff.ts';

interface ForeignDeps {
  readonly references: Pick<References, 'acquire'>;
  readonly clock: Clock;
  /** Has a certificate reconciled, now or at a later moment. */
  wake(key: string, at?: Date): void;
}

export interface ForeignLimits {
  /** Secrets that are watched, each on a connection of its own. */
  readonly watches: number;
  /** When a certificate whose Secret isn't watched is reconciled again: soon at first, since the Secret may just have gone. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** All of them together are not reconciled more often than this, since each time a Secret is read. */
  readonly apartMs: number;
}

const LIMITS: ForeignLimits = { watches: 50, firstMs: 5_000, longestMs: 30_000, apartMs: 50 };

/**
 * Notices when a Secret that occupies a certificate's name changes. Such Secrets don't carry our label, so no other watch
 * covers them. Some are watched one by one; above the limit certificates are reconciled now and then instead, and take
 * over the watches that become free.
 */
export class ForeignSecrets {
  readonly #deps: ForeignDeps;
  readonly #limits: ForeignLimits;
  readonly #watched = new Map<string, Reference>();
  /** Certificates whose Secret isn't watched, and how often they were reconciled for it. */
  readonly #polled = new Map<string, number>();

  constructor(deps: ForeignDeps, limits = LIMITS) {
    this.#deps = deps;
    this.#limits = limits;
  }

  /** To be called with each reconcile of a certificate, with whether a foreign Secret was found. */
  follow(resource: ClientCertificate, isInTheWay: boolean): void {
    const key = keyOf(resource);
    if (!isInTheWay) this.forget(key);
    else if (this.#watched.has(key)) return;
    else if (this.#watched.size < this.#limits.watches) this.#watch(key, resource);
    else this.#poll(key);
  }

  forget(key: string): void {
    this.#watched.get(key)?.release();
    this.#watched.delete(key);
    this.#polled.delete(key);
  }

  #watch(key: string, { namespace, spec }: ClientCertificate): void {
    const wake = () => this.#deps.wake(key);
    const reference = this.#deps.references.acquire(SECRETS, namespace, spec.secretName, wake);
    this.#watched.set(key, reference);
    this.#polled.delete(key);
    // Gone between the look and the watch, which then has nothing to tell.
    void reference.synced.then(() => reference.get() === undefined && wake());
  }

  #poll(key: string): void {
    const { clock, wake } = this.#deps;
    const { firstMs, longestMs, apartMs } = this.#limits;
    const looks = (this.#polled.get(key) ?? 0) + 1;
    this.#polled.set(key, looks);
    const longest = Math.max(longestMs, this.#polled.size * apartMs);
    const waitMs = backoffMs(looks, { firstMs, longestMs: longest }, clock.random());
    wake(key, new Date(clock.now().getTime() + waitMs));
  }
}
