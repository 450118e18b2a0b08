import { hash } from 'node:crypto';
import type { CertificateAuthority, RateLimit } from '../api/certificate-authority.ts';
import { type Backend, type BackendDefinition, NO_TRUST, type Trust } from '../backends/backend.ts';
import type { AuthorityView } from '../certificate/authority-view.ts';
import type { Clock } from '../clock.ts';
import { idOfChain } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { type Call, Turnstile } from '../queue/turnstile.ts';
import { Alternation } from '../rotation/alternation.ts';
import type { FallbackTrust } from '../rotation/deps.ts';
import type { Generation } from '../rotation/generation.ts';
import { Breaker } from './breaker.ts';
import { guarded } from './guarded.ts';
import { Releases } from './releases.ts';

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
  /** Which certificates are re-issued after a change of its CA. */
  readonly releases: Releases;
  /** Keeps it from being asked at all while it is in trouble. */
  readonly breaker: Breaker;
  /** The CA certificates that came with a certificate, once that is proven: others than before have the authority reconciled. */
  readonly noticeCa: (ca: readonly CertificateView[]) => void;
  /** Ends the watches that the backend has begun. */
  readonly release: () => void;
  generations: readonly Generation[];
  /** The uids of the Secrets that it deleted last, because their generations were retired. */
  retired?: readonly string[];
  /** What the authority said last that verifiers must accept; generations that leave come on top. */
  trusted: Trust;
  /** See Rotating. */
  stated: readonly CertificateView[];
  /** Which of its CAs it states in turn. */
  readonly alternation: Alternation;
  alternating?: readonly CertificateView[];
  /** What it said too and is in no ca.crt, as sentences; see ReadableTrust. */
  untrusted: readonly string[];
  /** See FallbackTrust. */
  fallback?: FallbackTrust | undefined;
  /** Since when it is in trouble, trials of single certificates included. */
  troubleSince?: Date | undefined;
  /** How often in a row a new CA pair was refused. */
  refusals: number;
  /** How many certificates the last look went through. */
  certificates: number;
  /** Undefined until the first look has come to an end. */
  view: AuthorityView | undefined;
}

/** Requests to one authority at the same time, where it is another machine or has a rate limit. */
const ASKED_AT_ONCE = 16;

interface Parts {
  readonly definition: BackendDefinition<never>;
  readonly clock: Clock;
  /** Has the authority reconciled. */
  wake(): void;
  /** Says to a certificate that it is its turn. */
  readonly call: Call;
  /** Makes the backend, and what ends the watches that it begins; `onChange` is for changes of what it refers to. */
  connect(onChange: () => void): { readonly backend: Backend; release(): void };
  /** How long the request of a certificate took, however it ended. */
  answered(seconds: number): void;
  /** The part of what it allows that this replica may use, in (0, 1]; all without it. */
  readonly share?: (() => number) | undefined;
}

/**
 * Fields of a backend that no request depends on: an answer is proven against what is trusted when it comes, and people may
 * work for weeks on a request that was made before.
 */
const BESIDE_REQUESTS: readonly string[] = ['trustBundle', 'instructions'];

/** See AuthorityView. */
export function originOf({ uid, type, backend }: Pick<CertificateAuthority, 'uid' | 'type' | 'backend'>): string {
  const asked = Object.entries(backend as object).filter(([field]) => !BESIDE_REQUESTS.includes(field));
  return hash('sha256', JSON.stringify([uid, type, asked]), 'base64url').slice(0, 16);
}

/** The runtime of an authority, before anything is known of it. */
export function createRuntime(resource: CertificateAuthority, parts: Parts): Runtime {
  const { definition, clock, wake, call, connect, answered, share } = parts;
  const { remote, persistKey, rateLimit: soundRate } = definition.capabilities;
  const rateLimit = resource.rateLimit ?? soundRate;
  const limits = { capacity: ASKED_AT_ONCE, rate: rateLimit, share };
  const turnstile = remote || rateLimit !== undefined ? new Turnstile(limits, clock, call) : undefined;
  const polls = persistKey ? new Turnstile({ ...limits, rate: rateLimit && twice(rateLimit) }, clock, call) : undefined;
  // One that asks no other machine is as its probe finds it, so no certificate has to be tried first.
  const breaker = new Breaker(clock, remote ? turnstile : undefined, share);
  const { backend, release } = connect(() => {
    breaker.probeNow();
    wake();
  });
  const issue = timed(backend.issue, clock, answered);
  const runtime: Runtime = {
    resource,
    origin: originOf(resource),
    definition,
    rateLimit,
    releases: new Releases(resource.caRotation.reissue, share),
    turnstile,
    polls,
    breaker,
    backend: { ...backend, issue: remote ? guarded(issue, breaker, wake) : issue },
    release: () => {
      turnstile?.close();
      polls?.close();
      backend.close?.();
      release();
    },
    generations: [],
    trusted: NO_TRUST,
    stated: [],
    alternation: new Alternation(),
    untrusted: [],
    refusals: 0,
    certificates: 0,
    view: undefined,
    noticeCa: (ca) => {
      if (idOfChain(ca) === idOfChain(runtime.stated)) return;
      runtime.stated = ca;
      if (runtime.view !== undefined) runtime.view = following(ca, runtime.view);
      wake();
    },
  };
  return runtime;
}

/** At once, since what is withheld below a CA that isn't followed is given up. */
function following(ca: readonly CertificateView[], view: AuthorityView): AuthorityView {
  const { followedAnchors } = view;
  if (followedAnchors === undefined) return view;
  return {
    ...view,
    followedAnchors: new Set([...followedAnchors, ...ca.map(({ fingerprintSHA256 }) => fingerprintSHA256)]),
  };
}

/** The rate of polls. A new request needs one poll at least, and old ones that still wait get as many. */
function twice({ requests, perMs, burst }: RateLimit): RateLimit {
  return { requests: 2 * requests, perMs, burst: 2 * burst };
}

function timed(issue: Backend['issue'], clock: Clock, answered: Parts['answered']): Backend['issue'] {
  return async (...asked) => {
    const startedMs = clock.monotonicMs();
    try {
      return await issue(...asked);
    } finally {
      answered((clock.monotonicMs() - startedMs) / 1000);
    }
  };
}
