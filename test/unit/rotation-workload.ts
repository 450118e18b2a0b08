import type { CaPath } from '../../src/pki/ca.ts';
import type { CertificateView } from '../../src/pki/certificate.ts';
import { after } from './builders.ts';

/** What a Secret holds, and what a workload that has loaded it shows and trusts. */
export interface Held {
  /** The CA that signed the leaf, with the chain that is in tls.crt. */
  readonly ca: CaPath;
  /** The certificates in ca.crt. */
  readonly roots: readonly CertificateView[];
  readonly end: Date;
  /** Whether the Secret stopped to be a member of the CA rotation while it held this: no CA is kept for it. */
  isLost: boolean;
  /** Whether the Secret could not be written at some moment while it held this. */
  isStuck: boolean;
}

/** One workload loads its Secret almost at once, another one as late as it may. */
export const PROPAGATION_S = 10;
const DELAYS_S = [1, 5, PROPAGATION_S];

/** The workload of a Secret. It loads what was published after a delay of its own. */
export class RotationWorkload {
  loaded: Held | undefined;
  /** Published and not loaded yet; the oldest first. */
  #ahead: { readonly at: Date; readonly held: Held }[] = [];
  readonly #delayMs: number;

  constructor(index: number) {
    this.#delayMs = (DELAYS_S[index % DELAYS_S.length] ?? 0) * 1_000;
  }

  /** All that it has loaded, or is still to load. */
  get known(): readonly Held[] {
    return [...(this.loaded ? [this.loaded] : []), ...this.#ahead.map(({ held }) => held)];
  }

  get nextLoad(): Date | undefined {
    return this.#ahead[0]?.at;
  }

  publish(held: Held, now: Date): void {
    this.#ahead.push({ at: after(this.#delayMs, now), held });
  }

  /** What is in the Secret can't be loaded any more. */
  drop(): void {
    this.#ahead = [];
  }

  loadDue(now: Date): void {
    this.loaded = this.#ahead.findLast(({ at }) => at <= now)?.held ?? this.loaded;
    this.#ahead = this.#ahead.filter(({ at }) => at > now);
  }

  /** Sooner than its delay. */
  loadNow(): void {
    this.loaded = this.#ahead.at(-1)?.held ?? this.loaded;
    this.#ahead = [];
  }
}
