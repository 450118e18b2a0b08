import { parseDuration } from '../api/duration.ts';
import type { SpiffeBundleSource } from '../api/generated/types.ts';
import type { Clock } from '../clock.ts';
import { classify } from '../errors.ts';
import { readable } from '../foreign-text.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Trouble } from '../trouble.ts';
import type { BundleEndpoint } from './bundle-endpoint.ts';
import { bootstrapOf, type KeptBundle } from './kept-bundles.ts';
import type { SourceFinding } from './sources.ts';

/** SPIFFE Trust Domain and Bundle, section 4.1.2: without a hint every five minutes. */
const USUAL_MS = 300_000;
/** The hint is the partner's: it must neither make us ask all the time, nor keep a removed CA trusted for days. */
const HINT = { leastMs: 30_000, mostMs: 3_600_000 };
const FIRST_RETRY_MS = 5_000;
/** Of status. A message may quote names of the partner's certificates. */
const LONGEST_MESSAGE = 1_024;

export interface PolledDeps {
  readonly clock: Clock;
  readonly endpoint: Pick<BundleEndpoint, 'read'>;
  /** What was kept before the controller started; throws where it can't be known. */
  load(): Promise<KeptBundle | undefined>;
  /** Throws where there is no room for the certificates. */
  admit(certificates: readonly CertificateView[]): void;
  /** Resolves once it outlives a restart, or with false where it could not be kept. Never throws. */
  keep(kept: KeptBundle): Promise<boolean>;
  /** The endpoint serves other CA certificates than before. */
  changed(before: readonly CertificateView[], after: readonly CertificateView[]): void;
  /** A read has ended. */
  onRead(): void;
  readonly signal: AbortSignal;
}

/**
 * A source that is asked from time to time. Its last bundle counts on while it can't be read, also after a restart: only a
 * bundle that was read in full replaces another one.
 */
export class PolledBundle {
  readonly #name: string;
  readonly #source: SpiffeBundleSource;
  readonly #deps: PolledDeps;
  #kept: KeptBundle | undefined;
  #isLoaded = false;
  /** What outlives a restart, see idOf; undefined where nothing does, or something else. */
  #stored: string | undefined;
  #refused: readonly string[] = [];
  #trouble: Trouble | undefined;
  #failures = 0;
  #nextAt: Date | undefined;
  #running: Promise<void> | undefined;
  #hasRead = false;

  constructor(name: string, source: SpiffeBundleSource, deps: PolledDeps) {
    this.#name = name;
    this.#source = source;
    this.#deps = deps;
  }

  /** What is known, once the first read has ended; a later one goes on in the background. Never throws. */
  async read(): Promise<SourceFinding> {
    const now = this.#deps.clock.now();
    if (this.#running === undefined && (this.#nextAt === undefined || this.#nextAt <= now)) this.#running = this.#run();
    if (!this.#hasRead) await this.#running;
    return {
      name: this.#name,
      certificates: this.#kept?.certificates,
      refused: this.#refused,
      trouble: this.#trouble,
      ...(this.#running === undefined && this.#nextAt !== undefined ? { nextAt: this.#nextAt } : {}),
    };
  }

  async #run(): Promise<void> {
    try {
      await this.#ask();
    } finally {
      const isFirst = !this.#hasRead;
      this.#hasRead = true;
      this.#running = undefined;
      // The first one is waited for.
      if (!isFirst) this.#deps.onRead();
    }
  }

  async #ask(): Promise<void> {
    const { admit, clock, endpoint, keep, signal } = this.#deps;
    const bootstrap = bootstrapOf(this.#source);
    try {
      if (!this.#isLoaded) await this.#load();
      const known = this.#kept?.bootstrap === bootstrap ? this.#kept.certificates : undefined;
      const { certificates, refused, refreshHintMs } = await endpoint.read(known, signal);
      admit(certificates);
      const kept = { certificates, bootstrap };
      // First what outlives a restart: a target must never hold what a restart would take out again.
      // With each read again until that is so: a former bundle would come back with the next restart.
      if (idOf(kept) !== this.#stored) this.#stored = (await keep(kept)) ? idOf(kept) : undefined;
      const former = this.#kept;
      this.#kept = kept;
      if (former !== undefined && idOf({ ...former, bootstrap }) !== idOf(kept))
        this.#deps.changed(former.certificates, certificates);
      this.#refused = refused;
      this.#trouble = undefined;
      this.#failures = 0;
      this.#nextAt = new Date(clock.now().getTime() + this.#intervalMs(refreshHintMs));
    } catch (thrown) {
      const { code, message, retryAfterMs = 0 } = classify(thrown);
      this.#failures += 1;
      this.#trouble = { code, message: readable(`source ${this.#name}: ${message}`, LONGEST_MESSAGE) };
      const longestMs = Math.max(FIRST_RETRY_MS, this.#intervalMs(undefined));
      const waitMs = backoffMs(this.#failures, { firstMs: FIRST_RETRY_MS, longestMs }, clock.random());
      this.#nextAt = new Date(clock.now().getTime() + Math.max(waitMs, retryAfterMs));
    }
  }

  async #load(): Promise<void> {
    const kept = await this.#deps.load();
    if (kept !== undefined) this.#deps.admit(kept.certificates);
    this.#kept = kept;
    this.#stored = kept && idOf(kept);
    this.#isLoaded = true;
  }

  #intervalMs(hintMs: number | undefined): number {
    const { interval } = this.#source;
    const fixedMs = interval === undefined ? undefined : parseDuration(interval);
    return fixedMs ?? Math.min(Math.max(hintMs ?? USUAL_MS, HINT.leastMs), HINT.mostMs);
  }
}

function idOf({ bootstrap, certificates }: KeptBundle): string {
  return [bootstrap, ...certificates.map(({ fingerprintSHA256 }) => fingerprintSHA256).sort()].join();
}
