import { type AnyCertificateAuthority, authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { Bucket } from '../queue/bucket.ts';
import type { Runtime } from './runtime.ts';

/** What others may provoke, per authority; kept over changes of its spec. */
export interface Pace {
  /** Steps of a CA rotation. */
  readonly steps: Bucket;
  /** Probes of an authority on another machine. */
  readonly probes: Bucket;
}

/** The part of what an authority allows that this replica may use; undefined for all. */
export type ShareOf = (resource: CertificateAuthority) => (() => number) | undefined;

/** A CA rotation takes eight steps and its roll-back four, so that some of them may follow each other. */
const STEPS = { capacity: 30, refillMs: 20_000 };
/** Its backoff probes a little less often when it is in trouble. */
const PROBES = { capacity: 10, refillMs: 3_000 };

/** The authorities that are served, by authorityKey. */
export class Registry {
  readonly #runtimes = new Map<string, Runtime>();
  readonly #paces = new Map<string, Pace>();
  readonly #shareOf: ShareOf;

  /** Without `shareOf` this replica has all. */
  constructor(shareOf: ShareOf = () => undefined) {
    this.#shareOf = shareOf;
  }

  get(key: string): Runtime | undefined {
    return this.#runtimes.get(key);
  }

  /**
   * The runtime of an authority as it is stored now; undefined while there is only that of the authority as it was before
   * its spec was changed, or it was made anew: its limits, its rules and its CA are not those of today.
   */
  current(resource: AnyCertificateAuthority | undefined): Runtime | undefined {
    const known = resource && this.#runtimes.get(authorityKey(resource));
    const isCurrent = known?.resource.uid === resource?.uid && known?.resource.generation === resource?.generation;
    return isCurrent ? known : undefined;
  }

  /** The runtime of this very spec; `create` is called for the first one and after each change. */
  ensure(resource: CertificateAuthority, create: () => Runtime): Runtime {
    const key = authorityKey(resource);
    const known = this.#runtimes.get(key);
    if (known !== undefined && this.current(resource) === known) return known;
    const runtime = create();
    known?.release();
    this.#runtimes.set(key, runtime);
    return runtime;
  }

  paceOf(resource: CertificateAuthority): Pace {
    const key = authorityKey(resource);
    const known = this.#paces.get(key);
    const pace = known ?? {
      steps: new Bucket(STEPS),
      probes: new Bucket({ ...PROBES, share: this.#shareOf(resource) }),
    };
    this.#paces.set(key, pace);
    return pace;
  }

  remove(key: string): void {
    this.#paces.delete(key);
    this.#runtimes.get(key)?.release();
    this.#runtimes.delete(key);
  }

  close(): void {
    for (const key of [...this.#runtimes.keys()]) this.remove(key);
  }
}
