import { randomBytes } from 'node:crypto';
import { BOOKS_NAME } from '../api/books-names.ts';
import { SECRETS } from '../api/names.ts';
import { ApiError, classify, lacksRole } from '../errors.ts';
import { backoffMs } from '../queue/backoff.ts';
import { BOOKS_KEY_BYTES, type BooksKey } from '../revocation/books-key.ts';
import { type BooksFound, blankBooksSecret, booksSecret, readBooksSecret } from '../revocation/books-secret.ts';
import { applyUnaltered } from './secret-access.ts';
import type { Services } from './services.ts';

/** So long the first reconcile waits for the key: what is written without it isn't sealed. */
const LONGEST_WAIT_MS = 5_000;
const TRY_AGAIN_MS = 300_000;
/** The same where the API server was away or busy. */
const TRY_SOON = { firstMs: 2_000, longestMs: TRY_AGAIN_MS };
/** Two replicas may create the Secret at once. */
const ATTEMPTS = 4;

type Deps = Pick<Services, 'client' | 'clock' | 'log' | 'ownership'> & {
  readonly key: BooksKey;
  readonly namespace: string;
  /** Called when the key becomes known: what was written before has no seal, and what needs one was refused. */
  onKnown(): void;
};

/** Reads the key of the books at the start, and creates it where this replica leads and there is none. */
export class BooksKeeper {
  readonly #deps: Deps;
  #leads = false;
  #logged = '';
  /** Whether the last try failed for a reason that may pass by itself. */
  #isPassing = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Reads the key, or creates it where this replica `leads` already. Resolves also where it can't be had, and then tries again now and then. */
  async start(signal: AbortSignal, leads = false): Promise<void> {
    this.#leads = leads;
    await this.#within(this.#try());
    void this.#keepTrying(signal);
  }

  /** This replica leads: creates the key where there is none. Resolves also where it can't. */
  async lead(): Promise<void> {
    this.#leads = true;
    if (!this.#deps.key.isKnown) await this.#within(this.#try());
  }

  async #within(work: Promise<void>): Promise<void> {
    const waiting = new AbortController();
    const pause = this.#deps.clock.sleep(LONGEST_WAIT_MS, waiting.signal).catch(() => {});
    await Promise.race([work, pause]);
    waiting.abort();
  }

  async #keepTrying(signal: AbortSignal): Promise<void> {
    const { clock, key } = this.#deps;
    for (let attempt = 1; !key.isKnown && !signal.aborted; attempt++) {
      const pauseMs = this.#isPassing ? backoffMs(attempt, TRY_SOON, clock.random()) : TRY_AGAIN_MS;
      await clock.sleep(pauseMs, signal).catch(() => {});
      if (!key.isKnown && !signal.aborted) await this.#try();
    }
  }

  async #try(): Promise<void> {
    this.#isPassing = false;
    try {
      for (let attempt = 1; ; attempt++) {
        const found = await this.#read();
        if (found.is === 'key') return this.#learn(found.key);
        if (found.is === 'foreign') return this.#report(FOREIGN, this.#remedyForForeign());
        if (!this.#leads) return;
        if (await this.#write(found, attempt)) return;
      }
    } catch (error) {
      const { code, message } = classify(error);
      this.#isPassing = code === 'ApiServerUnavailable' || code === 'TooManyRequests';
      this.#report(message, this.#remedyFor(error));
    }
  }

  async #read(): Promise<BooksFound> {
    const { client, namespace } = this.#deps;
    return readBooksSecret(await client.get(SECRETS, namespace, BOOKS_NAME));
  }

  /** Whether it holds a key of ours now; false where another replica was faster. */
  async #write(found: BooksFound, attempt: number): Promise<boolean> {
    const { client, namespace, ownership } = this.#deps;
    try {
      ownership.assert(BOOKS_NAME);
      const blank =
        found.is === 'blank' ? found : readBooksSecret(await applyUnaltered(client, blankBooksSecret(namespace)));
      if (blank.is !== 'blank') return false;
      ownership.assert(BOOKS_NAME);
      const manifest = booksSecret(namespace, randomBytes(BOOKS_KEY_BYTES), blank.current);
      const stored = readBooksSecret(await applyUnaltered(client, manifest));
      if (stored.is === 'key') this.#learn(stored.key);
      return stored.is === 'key';
    } catch (error) {
      if (error instanceof ApiError && error.status === 409 && attempt < ATTEMPTS) return false;
      throw error;
    }
  }

  #learn(key: Buffer): void {
    this.#deps.key.learn(key);
    this.#deps.onKnown();
  }

  /** Once for each reason: it is no reason to wait. */
  #report(error: string, remedy: string): void {
    if (this.#logged === error) return;
    this.#logged = error;
    const { log, namespace } = this.#deps;
    log.warn('there is no key for the books, so ledgers are written without a seal and revoke nothing', {
      secret: `${namespace}/${BOOKS_NAME}`,
      error,
      remedy,
    });
  }

  #remedyFor(error: unknown): string {
    const { namespace } = this.#deps;
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 404) return `kubectl create namespace ${namespace}`;
    if (status !== 403) return `kubectl -n ${namespace} get secret ${BOOKS_NAME}`;
    if (!lacksRole(error))
      return `have the quota or policy that refuses it admit the Secret ${BOOKS_NAME} in the namespace ${namespace}`;
    return `install the Role for it with the chart, or: kubectl -n ${namespace} create role ${BOOKS_NAME} --verb=get,create,patch --resource=secrets --resource-name=${BOOKS_NAME}, and bind it to the controller's account`;
  }

  #remedyForForeign(): string {
    const { namespace } = this.#deps;
    return `find out who made it (kubectl -n ${namespace} get secret ${BOOKS_NAME} --show-managed-fields -o yaml), then: kubectl -n ${namespace} delete secret ${BOOKS_NAME}`;
  }
}

const FOREIGN = 'the Secret was not written by Certwheel in this place: it is a copy, is of a backup, or was planted';
