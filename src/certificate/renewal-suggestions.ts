import { keyOf } from '../api/parse.ts';
import type { Backend, RenewalInfo } from '../backends/backend.ts';
import type { Clock } from '../clock.ts';
import { classify } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Run } from '../queue/controller.ts';
import { isAuthority } from './authority-view.ts';
import { spread } from './decision/schedule.ts';
import type { Observed } from './observed.ts';

/** When the authority suggests that a certificate is renewed; see `suggestedDue` for what comes of it. */
export interface RenewalSuggestion {
  readonly serialNumber: string;
  /** Undefined where it suggests nothing. */
  readonly moment: Date | undefined;
}

interface Known extends RenewalSuggestion {
  readonly askAt: Date;
}

/** After a start, and after each issue, the certificates are asked about one after the other within this time. */
const FIRST_WITHIN_MS = 10 * 60_000;
/** After a failure, and where the authority knows nothing of a certificate. */
const AGAIN_MS = 3_600_000;
/** What lies further ahead than any authority is given time for is from before the clock was set back. */
const LONGEST_MS = 2 * 86_400_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  /** The backend of the authority of a certificate. */
  backendOf(resource: Observed['resource']): Pick<Backend, 'renewalInfo'> | undefined;
}

/**
 * What authorities suggest about the renewal of certificates (RFC 9773). In memory alone: after a restart they are asked
 * again, and until they have answered the schedule stands. No failure here is one of the certificate.
 */
export class RenewalSuggestions {
  readonly #deps: Deps;
  readonly #known = new Map<string, Known>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  of(key: string): RenewalSuggestion | undefined {
    return this.#known.get(key);
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Asks where it is time to; answers when to look at the certificate again for it. */
  async look(seen: Observed, run: Run): Promise<Date | undefined> {
    const { resource, held, authority, ours } = seen;
    const key = keyOf(resource);
    const backend = this.#deps.backendOf(resource);
    const isItsOwn = held !== undefined && ours !== undefined && ours.memory.issuedBy === undefined;
    if (backend?.renewalInfo === undefined || !isItsOwn || !isAuthority(authority)) {
      this.forget(key);
      return undefined;
    }
    const { serialNumber, issuerKeyId: authorityKeyId } = held;
    const known = this.#known.get(key);
    if (known?.serialNumber !== serialNumber) {
      const askAt = this.#in(FIRST_WITHIN_MS * spread(resource.uid, `ask ${serialNumber}`));
      this.#known.set(key, { serialNumber, moment: undefined, askAt });
      return askAt;
    }
    if (known.askAt > this.#deps.clock.now() && known.askAt < this.#in(LONGEST_MS)) return known.askAt;
    const info = await this.#ask({ authorityKeyId, serialNumber }, backend, known, run);
    const askAt = this.#in(info?.askAgainInMs ?? AGAIN_MS);
    const moment = info?.suggested;
    this.#known.set(key, { serialNumber, moment, askAt });
    return moment?.getTime() === known.moment?.getTime() ? askAt : this.#deps.clock.now();
  }

  async #ask(
    leaf: Parameters<NonNullable<Backend['renewalInfo']>>[0],
    backend: Pick<Backend, 'renewalInfo'>,
    known: Known,
    run: Run,
  ): Promise<RenewalInfo | undefined> {
    try {
      return await run.releaseWorker(async () => backend.renewalInfo?.(leaf, run.signal));
    } catch (thrown) {
      run.signal.throwIfAborted();
      const { code, message } = classify(thrown);
      this.#deps.log.debug('no renewal information', { serial: leaf.serialNumber, code, error: message });
      return { suggested: known.moment, askAgainInMs: AGAIN_MS };
    }
  }

  #in(ms: number): Date {
    return new Date(this.#deps.clock.now().getTime() + ms);
  }
}
