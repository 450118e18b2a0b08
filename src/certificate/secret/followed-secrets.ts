import { isDeepStrictEqual } from 'node:util';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { CONFIG_MAPS, type Resource, SECRETS } from '../../api/names.ts';
import { keyOf, type RawObject } from '../../api/parse.ts';
import type { Clock } from '../../clock.ts';
import type { ChangeListener } from '../../kube/cache/listeners.ts';
import type { Reference, References } from '../../kube/references.ts';
import { backoffMs } from '../../queue/backoff.ts';
import { fairLevel } from '../../queue/fair-level.ts';
import { PacedWakes } from '../../queue/paced-wakes.ts';

/** A Secret that a certificate follows, or a ConfigMap. */
interface Followed {
  readonly name: string;
  /** A Secret unless it is said. */
  readonly kind?: 'Secret' | 'ConfigMap' | undefined;
  /** Whether nothing but its data matters; otherwise each change of the object does. */
  readonly dataOnly: boolean;
}

interface FollowDeps {
  readonly references: Pick<References, 'acquire'>;
  readonly clock: Clock;
  /** Has a certificate reconciled, now or at a later moment. */
  wake(key: string, at?: Date): void;
}

export interface FollowLimits {
  /** Secrets that are watched, each on a connection of its own. */
  readonly watches: number;
  /** When a certificate whose Secret isn't watched is reconciled again: soon at first, since the Secret may just have gone. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** All of them together are not reconciled more often than this in the long run, since each time a Secret is read. */
  readonly apartMs: number;
  /** Of those that follow one Secret, one is reconciled so often when it changes: thousands may follow the same one. */
  readonly wakesApartMs: number;
}

const LIMITS: FollowLimits = { watches: 50, firstMs: 5_000, longestMs: 30_000, apartMs: 50, wakesApartMs: 10 };

/** How long the pace of the namespaces stays as it was counted. */
const PACE_MS = 1_000;

/** A Secret that is watched, and the keys of the certificates that follow it. */
interface Watched {
  readonly reference: Reference;
  /** With whether nothing but the data matters to each. */
  readonly certificates: Map<string, boolean>;
}

/**
 * Notices when a Secret changes that a certificate depends on and that doesn't carry our label, so that no other watch
 * covers it: such as one that occupies its name, or holds the password of its key stores. So it does with the Secret or the
 * ConfigMap that holds the certificate request of its client. Some are watched one by one; above the limit certificates are reconciled
 * now and then instead, and take over the watches that become free. Namespaces share both: one with many watches gives up
 * one to another that has fewer, and those with many certificates have theirs reconciled less often.
 */
export class FollowedSecrets {
  readonly #deps: FollowDeps;
  readonly #limits: FollowLimits;
  /** The Secrets that each certificate follows, as ids. */
  readonly #followed = new Map<string, readonly string[]>();
  /** By Secret. */
  readonly #wakes: PacedWakes;
  /** By namespace, then by name. */
  readonly #watched = new Map<string, Map<string, Watched>>();
  /** Secrets that aren't watched, by namespace and id, and how often their certificates were reconciled for them. */
  readonly #polled = new Map<string, Map<string, number>>();
  #watches = 0;
  #pace = { level: Number.POSITIVE_INFINITY, untilMs: 0 };

  constructor(deps: FollowDeps, limits = LIMITS) {
    this.#deps = deps;
    this.#limits = limits;
    this.#wakes = new PacedWakes(deps, limits.wakesApartMs);
  }

  /** To be called with each reconcile of a certificate, with the Secrets of its namespace that it follows now. */
  follow(resource: Pick<ClientCertificate, 'namespace' | 'name'>, secrets: readonly Followed[]): void {
    const { namespace } = resource;
    const key = keyOf(resource);
    const ids = secrets.map((each) => idOf(key, placeOf(each)));
    for (const id of this.#followed.get(key) ?? []) if (!ids.includes(id)) this.#drop(id);
    if (ids.length === 0) this.#followed.delete(key);
    else this.#followed.set(key, ids);
    for (const id of new Set(ids)) {
      // One Secret may hold the password and occupy the name that the certificate needs.
      const dataOnly = secrets.every((each) => each.dataOnly || placeOf(each) !== secretOf(id));
      const watched = this.#watched.get(namespace)?.get(secretOf(id));
      if (watched !== undefined) {
        take(this.#polled, namespace, id);
        watched.certificates.set(key, dataOnly);
      } else if (this.#watches < this.#limits.watches || this.#giveUpOneFor(namespace))
        this.#watch(id, namespace, dataOnly);
      else this.#poll(id);
    }
  }

  /** A Secret that is watched; undefined where it is not, or its watch doesn't know yet. */
  read(
    namespace: string,
    name: string,
    kind?: Followed['kind'],
  ): { readonly found: RawObject | undefined } | undefined {
    const reference = this.#watched.get(namespace)?.get(placeOf({ name, kind }))?.reference;
    return reference === undefined || !reference.known || reference.isLeftOut ? undefined : { found: reference.get() };
  }

  /** The certificate of that key is gone. */
  forget(key: string): void {
    for (const id of this.#followed.get(key) ?? []) this.#drop(id);
    this.#followed.delete(key);
  }

  #drop(id: string): void {
    const namespace = namespaceOf(id);
    const watched = this.#watched.get(namespace)?.get(secretOf(id));
    watched?.certificates.delete(certificateOf(id));
    if (watched?.certificates.size === 0) this.#unwatch(namespace, secretOf(id));
    take(this.#polled, namespace, id);
  }

  /** Has the namespace with the most watches give up one, unless the other would then have more than it. */
  #giveUpOneFor(namespace: string): boolean {
    const own = this.#watched.get(namespace)?.size ?? 0;
    let richest: readonly [string, Map<string, Watched>] | undefined;
    for (const each of this.#watched) if (each[1].size > (richest?.[1].size ?? own + 1)) richest = each;
    const [oldest] = richest?.[1] ?? [];
    if (richest === undefined || oldest === undefined) return false;
    const [secret, { certificates }] = oldest;
    this.#unwatch(richest[0], secret);
    for (const each of certificates.keys()) this.#poll(idOf(each, secret));
    return true;
  }

  #watch(id: string, namespace: string, dataOnly: boolean): void {
    this.#drop(id);
    const certificates = new Map([[certificateOf(id), dataOnly]]);
    const place = keyOf({ namespace, name: secretOf(id) });
    const wake: ChangeListener<RawObject> = (_, before, after) => {
      const isSame =
        before !== undefined && after !== undefined && isDeepStrictEqual(contentOf(before), contentOf(after));
      for (const [each, isDataOnly] of certificates) if (!isDataOnly) this.#deps.wake(each);
      if (!isSame) this.#wakes.wake(place, () => [...certificates].flatMap(([each, is]) => (is ? [each] : [])));
    };
    const { resource, name } = watchedAt(secretOf(id));
    const reference = this.#deps.references.acquire(resource, namespace, name, wake);
    put(this.#watched, namespace, secretOf(id), { reference, certificates });
    this.#watches++;
    // Gone between the look and the watch, which then has nothing to tell.
    void reference.synced.then(() => reference.get() === undefined && wake(place, undefined, undefined));
  }

  #unwatch(namespace: string, secret: string): void {
    const watched = take(this.#watched, namespace, secret);
    if (watched === undefined) return;
    this.#watches--;
    watched.reference.release();
  }

  #poll(id: string): void {
    const { clock, wake } = this.#deps;
    const { firstMs } = this.#limits;
    const looks = (this.#polled.get(namespaceOf(id))?.get(id) ?? 0) + 1;
    put(this.#polled, namespaceOf(id), id, looks);
    const waitMs = backoffMs(looks, { firstMs, longestMs: this.#longestMs(id) }, clock.random());
    wake(certificateOf(id), new Date(clock.now().getTime() + waitMs));
  }

  /** The longest wait, by the share that the namespace has of all polls. */
  #longestMs(id: string): number {
    const { longestMs, apartMs } = this.#limits;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs >= this.#pace.untilMs) {
      const demands = Array.from(this.#polled.values(), ({ size }) => size);
      this.#pace = { level: fairLevel(demands, longestMs / apartMs), untilMs: nowMs + PACE_MS };
    }
    const ofNamespace = this.#polled.get(namespaceOf(id))?.size ?? 0;
    return longestMs * Math.max(1, ofNamespace / this.#pace.level);
  }
}

const CONFIG_MAP = 'ConfigMap/';

/** What stands for the object in here; no name of a Secret has a slash. */
function placeOf({ name, kind }: Pick<Followed, 'name' | 'kind'>): string {
  return kind === 'ConfigMap' ? `${CONFIG_MAP}${name}` : name;
}

function watchedAt(place: string): { readonly resource: Resource; readonly name: string } {
  return place.startsWith(CONFIG_MAP)
    ? { resource: CONFIG_MAPS, name: place.slice(CONFIG_MAP.length) }
    : { resource: SECRETS, name: place };
}

/** Of a Secret that a certificate follows: `namespace/certificate secret`; no name has a blank. */
function idOf(certificate: string, secret: string): string {
  return `${certificate} ${secret}`;
}

function certificateOf(id: string): string {
  return id.slice(0, id.indexOf(' '));
}

function secretOf(id: string): string {
  return id.slice(id.indexOf(' ') + 1);
}

function namespaceOf(id: string): string {
  return id.slice(0, id.indexOf('/'));
}

type ByNamespace<T> = Map<string, Map<string, T>>;

function put<T>(all: ByNamespace<T>, namespace: string, id: string, value: T): void {
  const known = all.get(namespace);
  if (known === undefined) all.set(namespace, new Map([[id, value]]));
  else known.set(id, value);
}

/** Takes it out, and answers it. */
function take<T>(all: ByNamespace<T>, namespace: string, id: string): T | undefined {
  const known = all.get(namespace);
  const value = known?.get(id);
  known?.delete(id);
  if (known?.size === 0) all.delete(namespace);
  return value;
}

/** A file that is no text is in the other field of a ConfigMap. */
function contentOf({ data, binaryData }: RawObject): readonly unknown[] {
  return [data, binaryData];
}
