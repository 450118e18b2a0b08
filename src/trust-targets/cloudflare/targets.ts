import {
  type AnyCertificateAuthority,
  authorityKey,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../../api/certificate-authority.ts';
import type { CloudflareMTLS } from '../../api/generated/types.ts';
import { earliest } from '../../api/moments.ts';
import { withinLimit } from '../../backends/http/client.ts';
import { Concealment } from '../../backends/http/conceal-errors.ts';
import type { Clock } from '../../clock.ts';
import { classify } from '../../errors.ts';
import type { Ownership } from '../../ownership.ts';
import { bundleOf, type TrustBundle } from '../../pki/bundle.ts';
import type { Trouble } from '../../trouble.ts';
import { type DesiredObject, type DesiredTarget, idOf, nameOf } from '../desired.ts';
import { markOf } from '../judge.ts';
import { hostnamesId, type RemoteTargets } from '../remote.ts';
import { writeTrustedSince } from '../trusted-since.ts';
import type { TargetView } from '../view.ts';
import type { CloudflareTarget, TargetDeps } from './target.ts';
import { troubleOf } from './troubles.ts';
import type { OtherWish, Wanted } from './uploads.ts';

export interface CloudflareTargetsDeps {
  readonly clock: Clock;
  readonly ownership: Ownership;
  /** All that there are. */
  authorities(): readonly AnyCertificateAuthority[];
  /** What the targets of an authority reach the world by; `onChange` is for another token. */
  connect(resource: CertificateAuthority, onChange: () => void): Connection;
  wake(authority: string): void;
}

interface Connection {
  readonly access: TargetDeps;
  /** Ends the watches of what the targets refer to. */
  release(): void;
}

/** What a person changes over there is found, and repaired, after so long. */
const READ_AGAIN_MS = 300_000;
const FIRST_RETRY_MS = 15_000;

interface Known {
  /** See TrustTarget. */
  readonly object: string;
  anchors: TrustBundle['anchors'] | undefined;
  /** Loads its code. */
  target(): Promise<CloudflareTarget>;
  loaded: CloudflareTarget | undefined;
  isRunning: boolean;
  readonly conceal: <T>(ask: () => Promise<T>) => Promise<T>;
  /** When it is read again, and with another bundle at once. */
  nextAt: Date | undefined;
  bundle: string;
  trouble: Trouble | undefined;
}

interface OfAuthority {
  readonly version: string;
  readonly connection: Connection;
  readonly targets: Map<string, Known>;
}

/** The targets at Cloudflare of all authorities, made when they are first asked for; their code is loaded then. */
export class CloudflareTargets implements RemoteTargets {
  readonly #deps: CloudflareTargetsDeps;
  readonly #known = new Map<string, OfAuthority>();
  readonly #startedMs: number;

  constructor(deps: CloudflareTargetsDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.monotonicMs();
  }

  refresh(resource: CertificateAuthority, wanted: readonly DesiredTarget[], bundle: TrustBundle): void {
    const objects = wanted.flatMap((each) => each.objects.filter(({ cloudflare }) => cloudflare !== undefined));
    const key = authorityKey(resource);
    if (objects.length === 0) this.forget(key);
    for (const object of objects) {
      const known = this.#ensure(resource, object);
      known.anchors = bundle.anchors;
      const isDue = known.bundle !== bundle.hash || known.nextAt === undefined;
      if (known.isRunning || !(isDue || (known.nextAt ?? this.#now()) <= this.#now())) continue;
      known.isRunning = true;
      known.bundle = bundle.hash;
      void this.#read(known, object).finally(() => {
        known.isRunning = false;
        this.#deps.wake(key);
      });
    }
  }

  async #read(known: Known, object: DesiredObject): Promise<void> {
    let waitMs = READ_AGAIN_MS;
    try {
      const target = await known.target();
      await known.conceal(() => withinLimit(new AbortController().signal, (all) => target.read(all)));
      known.trouble = undefined;
    } catch (thrown) {
      known.trouble = troubleOf(thrown, object);
      waitMs = Math.max(FIRST_RETRY_MS, classify(thrown).retryAfterMs ?? 0);
    }
    known.nextAt = new Date(this.#now().getTime() + waitMs);
  }

  unknown(resource: CertificateAuthority, object: DesiredObject): Trouble | undefined {
    const known = this.#of(resource, object);
    if (known?.loaded?.state !== undefined) return undefined;
    const message = `${nameOf(object)} has not been read yet`;
    return known?.trouble ?? { code: 'TrustTargetPending', message };
  }

  view(resource: CertificateAuthority, object: DesiredObject, bundle: TrustBundle): TargetView | undefined {
    const target = this.#of(resource, object)?.loaded;
    if (target?.state === undefined) return undefined;
    const { anchors } = bundle;
    const uploads = target.relevant(this.#wanted(resource, object, bundle));
    if (uploads.length === 0) return undefined;
    const held = [...new Set(uploads.map(({ fingerprint }) => fingerprint))].sort();
    const isWhole = held.length === anchors.size && held.every((each) => anchors.has(each));
    const lists = uploads.map((each) => hostnamesId(each.hostnames));
    const [stores = ''] = lists;
    return {
      ...{ kind: object.kind, namespace: object.namespace, name: object.name, uid: '', resourceVersion: '' },
      createdAt: '',
      authority: authorityKey(resource),
      mark: markOf(resource, object),
      adoptBy: undefined,
      hash: isWhole ? bundle.hash : bundleOf([]).hash,
      held,
      since: writeTrustedSince(new Map(uploads.map((each) => [each.fingerprint, target.since(each)]))),
      stores: lists.every((each) => each === stores) ? stores : lists.join(';'),
      isBeingDeleted: false,
    };
  }

  async write(
    resource: CertificateAuthority,
    object: DesiredObject,
    bundle: TrustBundle,
    signal: AbortSignal,
  ): Promise<Trouble | undefined> {
    const known = this.#ensure(resource, object);
    const wanted = this.#wanted(resource, object, bundle);
    try {
      this.#deps.ownership.assert(authorityKey(resource));
      const target = await known.target();
      const trouble = await known.conceal(() => withinLimit(signal, (all) => target.write(wanted, all)));
      return trouble && { ...trouble, message: `${nameOf(object)}: ${trouble.message}` };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return troubleOf(thrown, object);
    }
  }

  #wanted(resource: CertificateAuthority, { cloudflare }: DesiredObject, { anchors }: TrustBundle): Wanted {
    const { account = '', hostnames = [], maxCertificates = 5 } = cloudflare ?? {};
    const others = cloudflare === undefined ? [] : this.#others(authorityKey(resource), cloudflare);
    return { account, uid: resource.uid, anchors, hostnames, maxCertificates, others };
  }

  /**
   * What other authorities want of the same account: those that have shown that they may read it. After a start they are
   * given the time to show it, so that none takes away meanwhile what another one needs.
   */
  #others(key: string, { server, account, zone }: CloudflareMTLS): readonly OtherWish[] {
    const { clock, authorities } = this.#deps;
    const isStarting = clock.monotonicMs() - this.#startedMs < READ_AGAIN_MS;
    return authorities().flatMap((each) => {
      const other = authorityKey(each);
      if (other === key || isBrokenAuthority(each)) return [];
      return each.trustTargets.flatMap(({ cloudflare, object }) => {
        if (cloudflare?.server !== server || cloudflare?.account !== account) return [];
        const known = [...(this.#known.get(other)?.targets.values() ?? [])].find((one) => one.object === object);
        const isShown = known?.loaded?.state !== undefined;
        if (!isShown && !(isStarting && known?.trouble === undefined)) return [];
        const hostnames = cloudflare.zone === zone ? (cloudflare.hostnames ?? []) : [];
        return [{ anchors: isShown ? known.anchors : undefined, hostnames }];
      });
    });
  }

  nextRead(authority: string): Date | undefined {
    const targets = [...(this.#known.get(authority)?.targets.values() ?? [])];
    return earliest(targets.flatMap(({ isRunning, nextAt }) => (isRunning ? [] : [nextAt])));
  }

  forget(authority: string): void {
    this.#known.get(authority)?.connection.release();
    this.#known.delete(authority);
  }

  #of(resource: CertificateAuthority, object: DesiredObject): Known | undefined {
    return this.#known.get(authorityKey(resource))?.targets.get(idOf(object));
  }

  #ensure(resource: CertificateAuthority, object: DesiredObject): Known {
    const { targets, connection } = this.#ofAuthority(resource);
    const known = targets.get(idOf(object));
    if (known !== undefined) return known;
    const { cloudflare } = object;
    if (cloudflare === undefined) throw new Error('a target at Cloudflare without its spec');
    const { access } = connection;
    const { server } = cloudflare;
    const concealment =
      resource.kind === 'ClusterCertificateAuthority' || server === undefined
        ? undefined
        : new Concealment(server, "Cloudflare's API", access);
    const made: Known = {
      object: object.name,
      anchors: undefined,
      target: async () => {
        const { CloudflareTarget } = await import('./target.ts');
        made.loaded ??= new CloudflareTarget(cloudflare, access);
        return made.loaded;
      },
      loaded: undefined,
      isRunning: false,
      conceal: (ask) => concealment?.around(ask) ?? ask(),
      nextAt: undefined,
      bundle: '',
      trouble: undefined,
    };
    targets.set(idOf(object), made);
    return made;
  }

  #now(): Date {
    return this.#deps.clock.now();
  }

  #ofAuthority(resource: CertificateAuthority): OfAuthority {
    const key = authorityKey(resource);
    const version = `${resource.uid}/${resource.generation}`;
    const before = this.#known.get(key);
    if (before?.version === version) return before;
    before?.connection.release();
    const changed = () => {
      // Another token.
      for (const each of this.#known.get(key)?.targets.values() ?? []) each.nextAt = undefined;
      this.#deps.wake(key);
    };
    const made = { version, connection: this.#deps.connect(resource, changed), targets: new Map() };
    this.#known.set(key, made);
    return made;
  }
}
