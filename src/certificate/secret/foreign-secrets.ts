import type { ClientCertificate } from '../../api/client-certificate.ts';
import { SECRETS } from '../../api/names.ts';
import { keyOf } from '../../api/parse.ts';
import type { Clock } from '../../clock.ts';
import type { Reference, References } from '../../kube/references.ts';
import { backoffMs } from '../../queue/backoff.ts';
import { fairLevel } from '../../queue/fair-level.ts';

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
  /** All of them together are not reconciled more often than this in the long run, since each time a Secret is read. */
  readonly apartMs: number;
}

const LIMITS: ForeignLimits = { watches: 50, firstMs: 5_000, longestMs: 30_000, apartMs: 50 };

/** How long the pace of the namespaces stays as it was counted. */
const PACE_MS = 1_000;

/**
 * Notices when a Secret that occupies a certificate's name changes. Such Secrets don't carry our label, so no other watch
 * covers them. Some are watched one by one; above the limit certificates are reconciled now and then instead, and take
 * over the watches that become free. Namespaces share both: one with many watches gives up one to another that has fewer,
 * and those with many certificates have theirs reconciled less often.
 */
export class ForeignSecrets {
  readonly #deps: ForeignDeps;
  readonly #limits: ForeignLimits;
  /** By namespace, then by certificate. */
  readonly #watched = new Map<string, Map<string, Reference>>();
  /** Certificates whose Secret isn't watched, by namespace, and how often they were reconciled for it. */
  readonly #polled = new Map<string, Map<string, number>>();
  #watches = 0;
  #pace = { level: Number.POSITIVE_INFINITY, untilMs: 0 };

  constructor(deps: ForeignDeps, limits = LIMITS) {
    this.#deps = deps;
    this.#limits = limits;
  }

  /** To be called with each reconcile of a certificate, with whether a foreign Secret was found. */
  follow(resource: ClientCertificate, isInTheWay: boolean): void {
    const key = keyOf(resource);
    if (!isInTheWay) this.forget(key);
    else if (this.#watched.get(resource.namespace)?.has(key)) return;
    else if (this.#watches < this.#limits.watches || this.#giveUpOneFor(resource.namespace)) this.#watch(key, resource);
    else this.#poll(key);
  }

  forget(key: string): void {
    this.#unwatch(key);
    take(this.#polled, key);
  }

  /** Has the namespace with the most watches give up one, unless the other would then have more than it. */
  #giveUpOneFor(namespace: string): boolean {
    const own = this.#watched.get(namespace)?.size ?? 0;
    let richest: Map<string, Reference> | undefined;
    for (const each of this.#watched.values()) if (each.size > (richest?.size ?? own + 1)) richest = each;
    const [oldest] = richest?.keys() ?? [];
    if (oldest === undefined) return false;
    this.#unwatch(oldest);
    this.#poll(oldest);
    return true;
  }

  #watch(key: string, { namespace, spec }: ClientCertificate): void {
    this.forget(key);
    const wake = () => this.#deps.wake(key);
    const reference = this.#deps.references.acquire(SECRETS, namespace, spec.secretName, wake);
    put(this.#watched, key, reference);
    this.#watches++;
    // Gone between the look and the watch, which then has nothing to tell.
    void reference.synced.then(() => reference.get() === undefined && wake());
  }

  #unwatch(key: string): void {
    const reference = take(this.#watched, key);
    if (reference === undefined) return;
    this.#watches--;
    reference.release();
  }

  #poll(key: string): void {
    const { clock, wake } = this.#deps;
    const { firstMs } = this.#limits;
    const looks = (this.#polled.get(namespaceOf(key))?.get(key) ?? 0) + 1;
    put(this.#polled, key, looks);
    const waitMs = backoffMs(looks, { firstMs, longestMs: this.#longestMs(key) }, clock.random());
    wake(key, new Date(clock.now().getTime() + waitMs));
  }

  /** The longest wait, by the share that the namespace has of all polls. */
  #longestMs(key: string): number {
    const { longestMs, apartMs } = this.#limits;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs >= this.#pace.untilMs) {
      const demands = Array.from(this.#polled.values(), ({ size }) => size);
      this.#pace = { level: fairLevel(demands, longestMs / apartMs), untilMs: nowMs + PACE_MS };
    }
    const ofNamespace = this.#polled.get(namespaceOf(key))?.size ?? 0;
    return longestMs * Math.max(1, ofNamespace / this.#pace.level);
  }
}

type ByNamespace<T> = Map<string, Map<string, T>>;

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function put<T>(all: ByNamespace<T>, key: string, value: T): void {
  const namespace = namespaceOf(key);
  const known = all.get(namespace);
  if (known === undefined) all.set(namespace, new Map([[key, value]]));
  else known.set(key, value);
}

/** Takes it out, and answers it. */
function take<T>(all: ByNamespace<T>, key: string): T | undefined {
  const namespace = namespaceOf(key);
  const known = all.get(namespace);
  const value = known?.get(key);
  known?.delete(key);
  if (known?.size === 0) all.delete(namespace);
  return value;
}
