import type { BrokenClientCertificate, ClientCertificate } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import { type Contenders, goesFirst, secretNamedBy } from '../certificate/rival.ts';
import { isView, type SecretKept } from '../certificate/secret/record.ts';
import type { Clock } from '../clock.ts';
import { PacedWakes } from '../queue/paced-wakes.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import type { Cluster } from './cluster.ts';

type Resource = ClientCertificate | BrokenClientCertificate;

interface LineDeps {
  readonly cluster: Pick<Cluster, 'certificates' | 'secretOnArrival'>;
  readonly certificates: Pick<WorkQueue, 'add'>;
  readonly clock: Clock;
}

/** Of those that wait for one Secret, one is reconciled so often: each costs a write of its status. */
const APART_MS = 20;

/**
 * Wakes the resources that name a Secret. Thousands may name the same one, so a change wakes the one that goes first, and the others
 * only where another goes first than before: their status names it. They are reconciled one after the other.
 */
export class SecretWaiters {
  readonly #deps: LineDeps;
  readonly #contenders: Contenders;
  /** The first in line, where several name a Secret. */
  readonly #first = new Map<string, string>();
  /** By Secret. */
  readonly #walks: PacedWakes;

  constructor(deps: LineDeps) {
    this.#deps = deps;
    const { certificates } = deps.cluster;
    const wake = (key: string, at: Date) => deps.certificates.add(key, at);
    this.#walks = new PacedWakes({ clock: deps.clock, wake }, APART_MS);
    this.#contenders = {
      certificate: (key) => certificates.get(key),
      firstToName: (secret) => certificates.firstByIndex('secret', secret),
    };
  }

  /** A ClientCertificate came, went or was changed. */
  certificateChanged(before: Resource | undefined, after: Resource | undefined): void {
    const secrets = [before, after].map((each) => each && secretNamedBy(each));
    for (const secret of new Set(secrets)) if (secret !== undefined) this.#compare(secret);
  }

  /** The Secret of that key came, went or was changed. */
  secretChanged(secret: string, before: SecretKept | undefined, after: SecretKept | undefined): void {
    const { certificates, cluster } = this.#deps;
    const touched = new Set([this.#firstOf(secret), ownerOf(before), ownerOf(after)]);
    for (const key of touched) {
      const resource = key === undefined ? undefined : cluster.certificates.get(key);
      // Once each, since an idle worker takes it at once.
      if (resource !== undefined && secretNamedBy(resource) === secret) certificates.add(keyOf(resource));
    }
    this.#compare(secret, touched);
  }

  /** Something changed that decides about all resources that name the Secret of that key. */
  wake(secret: string): void {
    this.#wakeFirst(secret);
    this.#wakeOthers(secret);
  }

  #firstOf(secret: string): string | undefined {
    const first = goesFirst(secret, this.#deps.cluster.secretOnArrival(secret), this.#contenders);
    return first && keyOf(first);
  }

  #wakeFirst(secret: string): void {
    const first = this.#firstOf(secret);
    if (first !== undefined) this.#deps.certificates.add(first);
  }

  /** Wakes those whose place has changed, but for those that are awake. */
  #compare(secret: string, awake: ReadonlySet<string | undefined> = new Set()): void {
    const { certificates, cluster } = this.#deps;
    const former = this.#first.get(secret);
    const isContested = cluster.certificates.isContested('secret', secret);
    if (former === undefined && !isContested) return;
    const first = this.#firstOf(secret);
    if (isContested && first !== undefined) this.#first.set(secret, first);
    else this.#first.delete(secret);
    if (first === former) return;
    // A second one has come, which is in the queue already, or is one of the others.
    const moved = former === undefined ? [] : [former, first];
    for (const each of moved)
      if (each !== undefined && !awake.has(each) && cluster.certificates.get(each) !== undefined)
        certificates.add(each);
    if (isContested) this.#wakeOthers(secret);
  }

  #wakeOthers(secret: string): void {
    this.#walks.wake(secret, () => {
      const first = this.#firstOf(secret);
      return this.#deps.cluster.certificates.keysByIndex('secret', secret).filter((key) => key !== first);
    });
  }
}

/** The ClientCertificate whose marks the Secret carries. */
function ownerOf(kept: SecretKept | undefined): string | undefined {
  if (!isView(kept) || kept.owner === undefined) return undefined;
  return keyOf({ namespace: kept.namespace, name: kept.owner.certificateName });
}
