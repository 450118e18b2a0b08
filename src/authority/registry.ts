import {
  type AnyCertificateAuthority,
  authorityKey,
  type CertificateAuthority,
  type RateLimit,
} from '../api/certificate-authority.ts';
import type { Backend, BackendDefinition, Trust } from '../backends/backend.ts';
import type { AuthorityView } from '../certificate/observed.ts';
import { bundleOf } from '../pki/bundle.ts';
import { idOfChain, isSameCa } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { withoutRoot } from '../pki/chain.ts';
import type { Constraints } from '../pki/constraints/constraints.ts';
import { allowsAll, rulesOf } from '../pki/path-rules.ts';
import { Bucket } from '../queue/bucket.ts';
import type { Turnstile } from '../queue/turnstile.ts';
import { endOf, type Generation, isPresent, signingGeneration } from '../rotation/plan.ts';
import type { Breaker } from './breaker.ts';
import type { Trouble } from './trouble.ts';

/** One authority as it runs: its backend, and what is known of it. Nothing in here must survive a restart. */
export interface Runtime {
  readonly resource: CertificateAuthority;
  /** See AuthorityView. */
  readonly origin: string;
  readonly definition: BackendDefinition<never>;
  readonly backend: Backend;
  /** How often it may be asked at most: what its spec says, or else what is sound for its kind. */
  readonly rateLimit: RateLimit | undefined;
  /** Keeps it from being asked by too many at once, or too often; undefined where there is no such limit. */
  readonly turnstile: Turnstile | undefined;
  /** The same for the answers to requests under way. */
  readonly polls: Turnstile | undefined;
  /** Keeps it from being asked at all while it is in trouble. */
  readonly breaker: Breaker;
  /** Ends the watches that the backend has begun. */
  readonly release: () => void;
  generations: readonly Generation[];
  /** What the authority said last that verifiers must accept; generations that leave come on top. */
  trusted: Trust;
  /** What it said too and is in no ca.crt, as sentences; see ReadableTrust. */
  untrusted: readonly string[];
  /** See Rotation.clearSince. */
  clearSince: ReadonlyMap<string, Date>;
  /** How often in a row a new CA pair was refused. */
  refusals: number;
  /** Undefined until the first look has come to an end. */
  view: AuthorityView | undefined;
}

/** What others may provoke, per authority; kept over changes of its spec. */
export interface Pace {
  /** Steps of a CA rotation. */
  readonly steps: Bucket;
  /** Probes of an authority on another machine. */
  readonly probes: Bucket;
}

/** A CA rotation takes five steps, so two of them may follow each other. */
const STEPS = { capacity: 10, refillMs: 30_000 };
/** Its backoff probes a little less often when it is in trouble. */
const PROBES = { capacity: 10, refillMs: 3_000 };

/** The authorities that are served, by authorityKey. */
export class Registry {
  readonly #runtimes = new Map<string, Runtime>();
  readonly #paces = new Map<string, Pace>();

  get(key: string): Runtime | undefined {
    return this.#runtimes.get(key);
  }

  /** The runtime of this very spec; `create` is called for the first one and after each change. */
  /**
   * The runtime of an authority as it is stored now; undefined while there is only that of the authority as it was before
   * somebody changed it, or made it anew: its limits, its rules and its CA are not those of today.
   */
  current(resource: AnyCertificateAuthority | undefined): Runtime | undefined {
    const known = resource && this.#runtimes.get(authorityKey(resource));
    const isCurrent = known?.resource.uid === resource?.uid && known?.resource.generation === resource?.generation;
    return isCurrent ? known : undefined;
  }

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
    const pace = known ?? { steps: new Bucket(STEPS), probes: new Bucket(PROBES) };
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

/** The type of the generations that may sign; undefined where another machine holds the CA key. */
export function sourceOf({ backend, definition }: Pick<Runtime, 'backend' | 'definition'>): string | undefined {
  return backend.keyPair === undefined ? undefined : definition.type;
}

/** The generation that signs for the authority as it is now. */
export function signingOf(runtime: Pick<Runtime, 'backend' | 'definition' | 'generations'>, now: Date) {
  const source = sourceOf(runtime);
  return signingGeneration(
    runtime.generations.filter((each) => isPresent(each, source)),
    now,
  );
}

/** What certificates see of an authority. */
export function viewAuthority(
  runtime: Runtime,
  trust: readonly CertificateView[],
  trouble: Trouble | undefined,
  now: Date,
): AuthorityView {
  const { definition, resource, generations, trusted } = runtime;
  const signing = signingOf(runtime, now);
  const issuers = signing === undefined ? [] : withoutRoot(signing.pair.chain);
  return {
    type: definition.type,
    capabilities: definition.capabilities,
    limits: resource.limits,
    origin: runtime.origin,
    trouble,
    trust: bundleOf(trust),
    intermediates: trusted.intermediates,
    generations: new Map(generations.map((each) => [each.pair.certificate.fingerprintSHA256, roleOf(each, signing)])),
    issuers,
    constraints: signing && constraintsOf(signing),
    signing: signing && {
      version: signing.version,
      since: signing.since,
      notAfter: endOf(signing.pair),
      fingerprintSHA256: signing.pair.certificate.fingerprintSHA256,
      issuersId: idOfChain(issuers),
    },
  };
}

function constraintsOf({ pair }: Generation): Constraints | undefined {
  const { constraints } = rulesOf(pair.chain);
  return allowsAll(constraints) ? undefined : constraints;
}

/** One certificate may stand in several generations, with other certificates above it. */
function roleOf({ version, pair }: Generation, signing: Generation | undefined): { version: number; signs: boolean } {
  if (signing === undefined) return { version, signs: false };
  const isSame = pair.certificate.fingerprintSHA256 === signing.pair.certificate.fingerprintSHA256;
  return isSame ? { version: signing.version, signs: true } : { version, signs: isSameCa(pair, signing.pair) };
}
