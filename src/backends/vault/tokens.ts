import type { Clock } from '../../clock.ts';
import { membersOf } from '../http/json-members.ts';
import { SharedRun } from '../shared/shared-run.ts';
import type { VaultClient } from './client.ts';
import { type Grant, grantOf, type Login } from './grant.ts';

/** When a lease is renewed, as part of it: late enough to be cheap, early enough for several tries. */
const RENEW_AFTER = 2 / 3;

interface Held extends Grant {
  readonly credential: string;
  readonly sinceMs: number;
  /** What the first lease was, to tell one that nears its end for good. */
  readonly fullLeaseMs: number | undefined;
}

/** The token of one authority: one at a time, used until two thirds of its lease are over, then renewed or replaced. */
export class Tokens {
  readonly #client: VaultClient;
  readonly #login: Login;
  readonly #clock: Clock;
  #held: Held | undefined;
  readonly #runs = new SharedRun<string>();

  constructor(client: VaultClient, login: Login, clock: Clock) {
    this.#client = client;
    this.#login = login;
    this.#clock = clock;
  }

  /** A token that should be good. Concurrent callers share one login. */
  get(): Promise<string> {
    return this.#runs.get((all) => this.#good(all));
  }

  /** Vault didn't take this one: another, or the same where there is no other. */
  instead(refused: string): Promise<string> {
    if (this.#held?.token === refused) this.#held = undefined;
    return this.get();
  }

  /** What must be in no log, even where Vault quotes it: the token in use, and what it was had by. */
  get secrets(): readonly string[] {
    return this.#held === undefined ? [] : [this.#held.token, this.#held.credential];
  }

  async #good(signal: AbortSignal): Promise<string> {
    const credential = await this.#login.credential();
    const held = this.#held?.credential === credential ? this.#held : undefined;
    if (held !== undefined && !this.#isDue(held)) return held.token;
    const renewed = held?.renewable === true ? await this.#renewed(held, signal) : undefined;
    this.#held = renewed ?? (await this.#fresh(credential, signal));
    return this.#held.token;
  }

  #isDue({ sinceMs, leaseMs }: Held): boolean {
    return leaseMs !== undefined && this.#clock.monotonicMs() >= sinceMs + leaseMs * RENEW_AFTER;
  }

  async #fresh(credential: string, signal: AbortSignal): Promise<Held> {
    const sinceMs = this.#clock.monotonicMs();
    const grant = await this.#login.login(credential, signal);
    return { ...grant, credential, sinceMs, fullLeaseMs: grant.leaseMs };
  }

  /** Undefined where it can't be renewed, or only for so short that its greatest age must be near. */
  async #renewed(held: Held, signal: AbortSignal): Promise<Held | undefined> {
    const sinceMs = this.#clock.monotonicMs();
    const call = { method: 'POST', path: 'auth/token/renew-self', body: {}, token: held.token } as const;
    const { status, body } = await this.#client.ask(call, signal);
    if (status !== 200) return undefined;
    const { auth } = membersOf(body);
    const { lease_duration, renewable } = membersOf(auth);
    const grant = grantOf(held.token, lease_duration, renewable);
    const shortened =
      grant.leaseMs !== undefined && held.fullLeaseMs !== undefined && grant.leaseMs < held.fullLeaseMs / 2;
    return shortened ? undefined : { ...held, ...grant, sinceMs };
  }
}
