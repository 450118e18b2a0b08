import type { Clock } from '../../clock.ts';
import { SharedRun } from '../shared/shared-run.ts';

/** An access token, and how long Google takes it. */
export interface Grant {
  readonly token: string;
  readonly lifeMs: number;
}

/** Where access tokens come from. */
export interface Login {
  /** What the login is made with; another one needs another token. */
  credential(): Promise<string>;
  login(credential: string, signal: AbortSignal): Promise<Grant>;
  /** The principal, as gcloud takes it in `--member`; a placeholder where it isn't known yet. */
  member(): string;
  /** What to do where Google doesn't take a token of this login, as the end of a sentence. */
  remedy(): string;
}

/** A token is replaced this long before its end, or at nine tenths of its life where that is later. */
const BEFORE_END_MS = 300_000;
/** Google's tokens are valid for an hour, 12 hours by a setting of the organization. */
const LONGEST_LIFE_MS = 43_200_000;

interface Held {
  readonly token: string;
  readonly credential: string;
  readonly untilMs: number;
}

/** The access token of one authority: one at a time, kept until shortly before its end. */
export class Tokens {
  readonly #login: Login;
  readonly #clock: Clock;
  #held: Held | undefined;
  readonly #runs = new SharedRun<string>();

  constructor(login: Login, clock: Clock) {
    this.#login = login;
    this.#clock = clock;
  }

  /** A token that should be good. Concurrent callers share one login. */
  get(): Promise<string> {
    return this.#runs.get((all) => this.#good(all));
  }

  /** Another token in place of one that was refused. */
  instead(refused: string): Promise<string> {
    if (this.#held?.token === refused) this.#held = undefined;
    return this.get();
  }

  member(): string {
    return this.#login.member();
  }

  remedy(): string {
    return this.#login.remedy();
  }

  async #good(signal: AbortSignal): Promise<string> {
    const credential = await this.#login.credential();
    const nowMs = this.#clock.monotonicMs();
    const held = this.#held;
    if (held?.credential === credential && nowMs < held.untilMs) return held.token;
    const { token, lifeMs } = await this.#login.login(credential, signal);
    const life = Math.min(lifeMs, LONGEST_LIFE_MS);
    this.#held = { token, credential, untilMs: nowMs + Math.max(life - BEFORE_END_MS, 0.9 * life) };
    return token;
  }
}
