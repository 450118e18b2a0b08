import type { AcmeBackend } from '../../api/generated/types.ts';
import { ApiError, AuthorityError } from '../../errors.ts';
import { generateKey } from '../../pki/keys.ts';
import type { BackendDeps } from '../backend-deps.ts';
import type { KeptState } from '../backend-state.ts';
import { SharedRun } from '../shared/shared-run.ts';
import {
  type AccountState,
  type ExternalKey,
  externalKey,
  readAccountState,
  writeAccountState,
} from './account-state.ts';
import type { Directory } from './directory.ts';
import { type AccountKey, accountKey, externalBinding } from './jws.ts';
import { problemIn, refusal } from './problem.ts';
import { exchangeKeys } from './rollover.ts';
import type { Sender, Session } from './session.ts';

/** An account that the server knows. */
export interface KnownAccount extends Sender {
  readonly url: string;
}

/** How often a lost race against another replica is run again. */
const MOST_RACES = 5;

type AccountDeps = Pick<BackendDeps, 'state' | 'secret' | 'objects' | 'log' | 'name'>;

/** The ACME account of an authority: one for all replicas, whose key is kept before the server learns it. */
export class Account {
  readonly #spec: AcmeBackend;
  readonly #session: Session;
  readonly #deps: AccountDeps;
  #known: KnownAccount | undefined;
  readonly #runs = new SharedRun<KnownAccount>();

  constructor(spec: AcmeBackend, session: Session, deps: AccountDeps) {
    this.#spec = spec;
    this.#session = session;
    this.#deps = deps;
  }

  /** As of the last check. */
  async current(): Promise<KnownAccount> {
    return this.#known ?? this.check();
  }

  /** Reads the Secret again, and has the server confirm the account; registers it, or replaces its key, where that is due. */
  async check(): Promise<KnownAccount> {
    this.#known = await this.#runs.get((all) => this.#settle(all));
    return this.#known;
  }

  /** The server didn't take the key: another replica may have replaced it. */
  forget(): void {
    this.#known = undefined;
  }

  async #settle(signal: AbortSignal): Promise<KnownAccount> {
    for (let races = 0; ; races++) {
      try {
        return await this.#run(signal);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409 || races >= MOST_RACES) throw error;
      }
    }
  }

  async #run(signal: AbortSignal): Promise<KnownAccount> {
    const { state } = this.#deps;
    const directory = await this.#session.directory(signal);
    const kept = (await state.read()) ?? (await state.write(writeAccountState(await this.#fresh()), undefined));
    const before = readAccountState(kept);
    const confirmed = await this.#confirm(before, directory, signal);
    const contact = this.#contact();
    if (before.contact !== contact && confirmed.isOld)
      await this.#session.ask(
        confirmed.account,
        confirmed.account.url,
        contactOf(this.#spec),
        'the change of spec.acme.email',
        signal,
      );
    const after: AccountState = { ...before, url: confirmed.account.url, directory: this.#spec.server, contact };
    const isSame = before.url === after.url && before.directory === after.directory && before.contact === contact;
    const stored = isSame ? kept : await state.write(writeAccountState(after), kept);
    return this.#rollOver(after, stored, confirmed.account, directory, signal);
  }

  async #fresh(): Promise<AccountState> {
    const { server, accountKeyRollover = 0 } = this.#spec;
    const key = await newKey();
    return { key, url: undefined, directory: server, contact: '', nextKey: undefined, rollover: accountKeyRollover };
  }

  #contact(): string {
    return (this.#spec.email ?? []).join(',');
  }

  /** The account of the key, registered where the server has none. The same key gets the same account (RFC 8555 section 7.3). */
  async #confirm(
    { key, nextKey, url }: AccountState,
    directory: Directory,
    signal: AbortSignal,
  ): Promise<{ readonly account: KnownAccount; readonly isOld: boolean }> {
    const found = await this.#lookUp(key, directory, signal);
    if (found !== undefined) return { account: { key, url: found }, isOld: true };
    // It was replaced already, and the answer to that was lost. The rest of the replacement follows.
    const replaced = nextKey && (await this.#lookUp(nextKey, directory, signal));
    if (nextKey !== undefined && replaced !== undefined && replaced === url)
      return { account: { key: nextKey, url: replaced }, isOld: true };
    return { account: { key, url: await this.#register(key, directory, signal) }, isOld: false };
  }

  async #lookUp(key: AccountKey, { newAccount }: Directory, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#session.send({ key }, newAccount, { onlyReturnExisting: true }, signal);
    if (answer.status >= 400 && problemIn(answer).type === 'accountDoesNotExist') return undefined;
    if (answer.status >= 300) throw this.#refused(refusal(answer, this.#session.server, 'the account'));
    const { status } = this.#session.json(answer).body as { status?: unknown };
    if (status !== undefined && status !== 'valid') throw this.#ended(String(status).slice(0, 32));
    return this.#session.own(answer.headers.location, 'the URL of the account');
  }

  async #register(key: AccountKey, directory: Directory, signal: AbortSignal): Promise<string> {
    const { newAccount, externalAccountRequired, hasTerms } = directory;
    const binding = await externalKey(this.#spec.externalAccountBinding, this.#deps);
    if (binding === undefined && externalAccountRequired)
      throw new AuthorityError(
        'CredentialsNotFound',
        `${this.#session.server} registers an account only with a key of its own; get one from the CA and name it in spec.acme.externalAccountBinding`,
      );
    const payload = {
      ...(hasTerms ? { termsOfServiceAgreed: true } : {}),
      ...contactOf(this.#spec),
      ...(binding && { externalAccountBinding: externalBinding(key, newAccount, binding) }),
    };
    const answer = await this.#session.send({ key }, newAccount, payload, signal);
    if (answer.status >= 300) throw this.#unregistered(refusal(answer, this.#session.server, 'a new account'), binding);
    const url = this.#session.own(answer.headers.location, 'the URL of the account');
    this.#deps.log.info('ACME account registered', { authority: this.#deps.name, account: url });
    return url;
  }

  async #rollOver(
    state: AccountState,
    stored: KeptState,
    account: KnownAccount,
    directory: Directory,
    signal: AbortSignal,
  ): Promise<KnownAccount> {
    const wanted = this.#spec.accountKeyRollover ?? 0;
    const isReplaced = account.key.thumbprint === state.nextKey?.thumbprint;
    if (wanted <= state.rollover && !isReplaced) return account;
    const nextKey = state.nextKey ?? (await newKey());
    const prepared =
      state.nextKey === undefined
        ? await this.#deps.state.write(writeAccountState({ ...state, nextKey }), stored)
        : stored;
    if (!isReplaced) await exchangeKeys(this.#session, directory, account, nextKey, signal);
    const after = { ...state, key: nextKey, nextKey: undefined, rollover: Math.max(wanted, state.rollover) };
    await this.#deps.state.write(writeAccountState(after), prepared);
    this.#deps.log.info('the key of an ACME account was replaced', {
      authority: this.#deps.name,
      account: account.url,
    });
    return { key: nextKey, url: account.url };
  }

  /** A refusal of the account is about the account, whatever its class. */
  #refused(error: Error): Error {
    if (error instanceof AuthorityError) return error;
    return new AuthorityError('CredentialsRefused', error.message);
  }

  /** A CA that refuses a new account refuses the key that binds it, mostly. */
  #unregistered(error: Error, binding: ExternalKey | undefined): Error {
    const refused = this.#refused(error);
    if (binding === undefined || !(refused instanceof AuthorityError) || refused.code !== 'CredentialsRefused')
      return refused;
    return new AuthorityError(
      'CredentialsRefused',
      `${refused.message}; compare with what the CA has shown: spec.acme.${binding.place}; most CAs take each key once`,
    );
  }

  #ended(status: string): AuthorityError {
    return new AuthorityError(
      'CredentialsRefused',
      `${this.#session.server}: the ACME account is ${status}; for a new one delete the Secret that keeps its key, as docs/authorities/acme.md says`,
    );
  }
}

async function newKey(): Promise<AccountKey> {
  return accountKey(await generateKey({ algorithm: 'ECDSA', size: 256 }));
}

function contactOf({ email = [] }: AcmeBackend): { readonly contact: readonly string[] } {
  return { contact: email.map((each) => `mailto:${each}`) };
}
