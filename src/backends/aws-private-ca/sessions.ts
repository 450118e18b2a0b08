import type { Clock } from '../../clock.ts';
import { SharedRun } from '../shared/shared-run.ts';
import type { AwsKeys } from './sign.ts';

/** Keys, and how long they are good for; undefined where they don't end by themselves. */
export interface Grant {
  readonly keys: AwsKeys;
  readonly lifeMs: number | undefined;
}

/** A way to keys. */
export interface Login {
  /** Whose keys they are, for messages. */
  readonly description: string;
  /** What the login is made with; where it has changed, so must the keys. */
  credential(): Promise<string>;
  login(signal: AbortSignal): Promise<Grant>;
}

/** When a session is replaced, as part of its life: late enough to be cheap, early enough for several tries. */
const RENEW_AFTER = 2 / 3;
const TRY_AGAIN_MS = 30_000;

interface Held extends Grant {
  readonly credential: string;
  readonly sinceMs: number;
}

/** The keys of one authority: one session at a time, replaced when two thirds of its life are over. */
export class Sessions {
  readonly description: string;
  readonly #login: Login;
  readonly #clock: Clock;
  #held: Held | undefined;
  readonly #runs = new SharedRun<AwsKeys>();
  #quietUntilMs = 0;

  constructor(login: Login, clock: Clock) {
    this.description = login.description;
    this.#login = login;
    this.#clock = clock;
  }

  /** Keys that should be good. Concurrent callers share one login, which one of them giving up doesn't end. */
  get(): Promise<AwsKeys> {
    return this.#runs.get((all) => this.#good(all));
  }

  /** AWS didn't take these: others, or the same where there are no others. */
  async instead(refused: AwsKeys): Promise<AwsKeys> {
    if (this.#held?.keys === refused) this.#held = undefined;
    const other = await this.get();
    return isSame(other, refused) ? refused : other;
  }

  async #good(signal: AbortSignal): Promise<AwsKeys> {
    const credential = await this.#login.credential();
    const held = this.#held?.credential === credential ? this.#held : undefined;
    const nowMs = this.#clock.monotonicMs();
    if (
      held !== undefined &&
      (!isOver(held, nowMs, RENEW_AFTER) || (!isOver(held, nowMs, 1) && nowMs < this.#quietUntilMs))
    )
      return held.keys;
    try {
      this.#held = { ...(await this.#login.login(signal)), credential, sinceMs: nowMs };
      return this.#held.keys;
    } catch (error) {
      if (held === undefined || isOver(held, nowMs, 1)) throw error;
      // While STS is away, what is there still does.
      this.#quietUntilMs = nowMs + TRY_AGAIN_MS;
      return held.keys;
    }
  }
}

function isOver({ sinceMs, lifeMs }: Held, nowMs: number, part: number): boolean {
  return lifeMs !== undefined && nowMs >= sinceMs + lifeMs * part;
}

function isSame(one: AwsKeys, other: AwsKeys): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken
  );
}
