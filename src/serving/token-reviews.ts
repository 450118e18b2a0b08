import { hash } from 'node:crypto';
import { SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { Bucket } from '../queue/bucket.ts';

/** `throttled`: the token was not reviewed. */
export type Verdict = 'allowed' | 'forbidden' | 'unauthenticated' | 'throttled';

interface TokenReview {
  readonly status?: { readonly authenticated?: boolean; readonly user?: User };
}

interface User {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

interface Known {
  readonly untilMs: number;
  readonly verdict: Promise<Verdict>;
  /** False while its review is in progress. */
  isAllowed: boolean;
}

interface SubjectAccessReview {
  readonly status?: { readonly allowed?: boolean };
}

const REVIEW_TIMEOUT_MS = 5_000;
/** How long a verdict is cached: a revoked token is served, and a new right ignored, for as long at most. */
const KEPT_MS = 60_000;
/** More than the bucket admits in that time, so a flood of tokens evicts no verdict that is still valid, nor a recent one. */
const MOST_KEPT = 2_000;
/** Keeps a flood of tokens from becoming a flood of requests to the API server. */
const REVIEWS = { capacity: 20, refillMs: 100 };

/**
 * Authenticates bearer tokens by TokenReview, and authorizes their users by SubjectAccessReview for `get` of the
 * non-resource URL `/metrics`. controller-runtime does the same (filters.WithAuthenticationAndAuthorization), so the
 * ClusterRoles that clusters have for it fit.
 */
export class TokenReviews {
  readonly #client: Pick<KubeClient, 'create'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #bucket = new Bucket(REVIEWS);
  /** Keyed by hash, since tokens are secrets. The oldest comes first. */
  readonly #known = new Map<string, Known>();

  constructor(client: Pick<KubeClient, 'create'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Throws ApiError when the API server can't review the token; that is not cached. */
  async of(token: string): Promise<Verdict> {
    const key = hash('sha256', token);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.verdict;
    // A token that was allowed is reviewed again whatever others ask, or a flood of forged ones would take its turn each minute.
    if (known?.isAllowed !== true && this.#bucket.take(nowMs) > 0) return 'throttled';
    const answer: Known = { untilMs: nowMs + KEPT_MS, verdict: this.#review(token), isAllowed: false };
    this.#keep(key, answer);
    try {
      const verdict = await answer.verdict;
      answer.isAllowed = verdict === 'allowed';
      return verdict;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }

  #keep(key: string, answer: Known): void {
    this.#known.delete(key);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MOST_KEPT) this.#known.delete(oldest);
    this.#known.set(key, answer);
  }

  async #review(token: string): Promise<Verdict> {
    const { status: is } = await this.#create<TokenReview>(TOKEN_REVIEWS, { token });
    if (is?.authenticated !== true || is.user === undefined) return 'unauthenticated';
    const { username, uid, groups, extra } = is.user;
    const nonResourceAttributes = { path: '/metrics', verb: 'get' };
    const spec = { user: username, uid, groups, extra, nonResourceAttributes };
    const { status: may } = await this.#create<SubjectAccessReview>(SUBJECT_ACCESS_REVIEWS, spec);
    return may?.allowed === true ? 'allowed' : 'forbidden';
  }

  #create<T>(resource: typeof TOKEN_REVIEWS | typeof SUBJECT_ACCESS_REVIEWS, spec: object): Promise<T> {
    return this.#client.create<T>(resource, { metadata: { name: '' }, spec }, { timeoutMs: REVIEW_TIMEOUT_MS });
  }
}
