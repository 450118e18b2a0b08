import { LEASES } from '../../../src/api/names.ts';
import { BOOKS_PERMISSIONS, SHARD_PERMISSIONS } from '../../../src/api/permissions.ts';
import { SHARDS_LABEL } from '../../../src/api/shard-names.ts';
import { type LeaseView, viewLease } from '../../../src/shards/lease-view.ts';
import { placeOf, rangeOf } from '../../../src/shards/ranges.ts';
import { grantedUser, namespaceUser } from '../process/support/access.ts';
import { createAll, lines, untilAllReady } from '../process/support/fleet.ts';
import { faultsOf, publishedSerials, unjustified } from '../process/support/justified.ts';
import type { ControllerProcess, LogLine } from '../support/controller-process.ts';
import { eventually, PATIENCE_MS } from '../support/eventually.ts';
import { issuedAt } from '../support/moments.ts';
import { createAuthority, selfManaged } from '../support/objects.ts';
import { issuances, watchSecrets } from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import type { World } from '../support/world.ts';

/** Between two looks at the Leases. */
const LOOK_MS = 100;

/** Namespaces with certificates, for the replicas of one story to share. */
export class Fleet {
  readonly world: World;
  /** Where the Leases are. */
  readonly home: string;
  readonly namespaces: readonly string[];
  readonly #count: number;
  readonly #secrets = new Map<string, Witness>();
  readonly #names = new Map<string, string[]>();

  private constructor(world: World, home: string, namespaces: readonly string[], count: number) {
    this.world = world;
    this.home = home;
    this.namespaces = namespaces;
    this.#count = count;
  }

  static async of(world: World, namespaces: number, count: number): Promise<Fleet> {
    const all = await Promise.all(Array.from({ length: namespaces }, () => world.namespace()));
    const fleet = new Fleet(world, await world.namespace(), all, count);
    for (const namespace of all) fleet.#secrets.set(namespace, await watchSecrets(world, namespace));
    await Promise.all(all.map((namespace) => createAuthority(world, selfManaged(namespace))));
    return fleet;
  }

  /** The flags of a replica. */
  get flags(): string[] {
    return [...this.placeFlags, '--shards', String(this.#count)];
  }

  /** The same without shards. */
  get placeFlags(): string[] {
    return ['--namespaces', this.namespaces.join(','), '--controller-namespace', this.home];
  }

  /** Of a user who has the rights of the chart in namespaces mode, and no more. */
  async kubeconfig(): Promise<string> {
    const user = `${this.home}-replica`;
    await namespaceUser(this.world, user, this.namespaces);
    return grantedUser(this.world, user, this.home, [...SHARD_PERMISSIONS, ...BOOKS_PERMISSIONS]);
  }

  async fill(names: readonly string[], spec: Record<string, unknown>): Promise<void> {
    for (const namespace of this.namespaces) {
      this.#names.set(namespace, [...(this.#names.get(namespace) ?? []), ...names]);
      await createAll(this.world, namespace, names, spec);
    }
  }

  async untilReady(): Promise<void> {
    for (const namespace of this.namespaces)
      await untilAllReady(this.world, namespace, this.#names.get(namespace)?.length ?? 0);
  }

  /** Who holds each range by the Leases; undefined for none. */
  async owners(): Promise<(string | undefined)[]> {
    const selection = { namespace: this.home, labelSelector: SHARDS_LABEL };
    const { items } = await this.world.client.list(LEASES, selection);
    const leases = new Map(items.map((each) => viewLease(each, 0)).map((each) => [each.name, each]));
    const members = new Set([...leases].filter(isMember).map(([, { holder }]) => holder));
    return Array.from({ length: this.#count }, (_, range) => {
      const { holder = '' } = leases.get(`certwheel-shard-${String(range).padStart(2, '0')}`) ?? {};
      return members.has(holder) && holder !== '' ? holder : undefined;
    });
  }

  /** Who holds the range of a key of a work queue. */
  async ownerOf(key: string): Promise<string | undefined> {
    return (await this.owners())[rangeOf(placeOf(key), this.#count)];
  }

  /** Waits until each range is held by one of those, and by none besides; answers after how many milliseconds. */
  async untilHeldBy(replicas: readonly ControllerProcess[]): Promise<number> {
    const startedMs = performance.now();
    await eventually(
      'all ranges are held by those that live',
      async () => {
        const identities = new Set(replicas.map(identityOf));
        const owners = await this.owners();
        return owners.every((each) => each !== undefined && identities.has(each));
      },
      PATIENCE_MS,
      LOOK_MS,
    );
    return performance.now() - startedMs;
  }

  /** Waits until each of them holds as many ranges as the others; answers who holds each range. */
  async untilShared(replicas: readonly ControllerProcess[]): Promise<(string | undefined)[]> {
    await this.untilHeldBy(replicas);
    const share = this.#count / replicas.length;
    return eventually('each has its share', async () => {
      const owners = await this.owners();
      const sizes = replicas.map((each) => owners.filter((owner) => owner === identityOf(each)).length);
      return sizes.every((size) => size === share) && owners;
    });
  }

  /** The greatest age of a certificate at which its successor was issued. */
  longestAgeMs(): number {
    const ages = [...this.#names].flatMap(([namespace, names]) =>
      names.flatMap((name) => {
        const versions = (this.#secrets.get(namespace) as Witness).versions(`${name}-tls`);
        const issued = issuances(versions).map(({ object }) => issuedAt(object).getTime());
        return issued.slice(1).map((atMs, index) => atMs - (issued[index] ?? atMs));
      }),
    );
    return Math.max(0, ...ages);
  }

  /** The serials that the Secrets have held so far. */
  published(): string[] {
    return [...this.#names].flatMap(([namespace, names]) =>
      publishedSerials(this.#secrets.get(namespace) as Witness, names),
    );
  }

  /**
   * What was wrong with the certificates, by the Secrets at each version, and by what was signed in each life of a replica: a life may
   * lose one signature for a certificate, where it ended between the signature and the write. None is due earlier than so old.
   */
  async faults(lives: readonly (readonly LogLine[])[], earliestMs?: number): Promise<string[]> {
    const found: string[] = [];
    const published = new Set<string>();
    for (const [namespace, names] of this.#names) {
      const secrets = this.#secrets.get(namespace) as Witness;
      await secrets.settled();
      found.push(...faultsOf(secrets, names), ...unjustified(secrets, names, earliestMs));
      for (const serial of publishedSerials(secrets, names)) {
        if (published.has(serial)) found.push(`${serial} was published twice`);
        published.add(serial);
      }
    }
    const lost = lives.map((logs) =>
      lines(logs, 'signing')
        .filter(({ serial }) => !published.has(String(serial)))
        .map(({ namespace, name }) => `${namespace}/${name}`),
    );
    for (const keys of lost)
      if (new Set(keys).size < keys.length) found.push(`signed twice in one life, and lost: ${keys}`);
    const signed = lives.flatMap((logs) => lines(logs, 'signing')).length;
    console.log(`# ${signed} signed, ${lost.flat().length} of them lost with their replica`);
    return found;
  }
}

function isMember([name]: readonly [string, LeaseView]): boolean {
  return name.startsWith('certwheel-member-');
}

/** The identity under which a replica takes part now. */
export function identityOf({ logs }: ControllerProcess): string {
  return String(lines(logs, 'takes part in the shards').at(-1)?.identity ?? 'none');
}
