import { AuthorityError, RetryableError } from '../../errors.ts';
import { FAILURES } from './failures.ts';
import { loginInTurn } from './logins.ts';
import type { FoundKey, SignerAnswer, SignerFailure, SignerQuestion, SigningInput } from './messages.ts';
import { fingerprint, type Pin, REFUSED_PINS } from './pin.ts';
import { SignerLost, type SignerProcess } from './signer-process.ts';
import { type KeyMatch, keyText, type TokenMatch, tokenText } from './uri.ts';

type Answer = Omit<SignerAnswer, 'id'>;

/** Requests that wait for the one under way, so that what a hanging library holds up is bounded. */
const MOST_WAITING = 64;

/** One token, through the signer process. */
export class Pkcs11Client {
  readonly #token: TokenMatch;
  readonly #library: string;
  readonly #signer: Pick<SignerProcess, 'ask' | 'end' | 'isLoggedIn'>;
  readonly #readPin: () => Promise<Pin>;
  /** The PIN that the process is logged in with. */
  #usedPin: string | undefined;
  /** See Token.identity. */
  #identity = '';
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(
    token: TokenMatch,
    library: string,
    signer: Pick<SignerProcess, 'ask' | 'end' | 'isLoggedIn'>,
    readPin: () => Promise<Pin>,
  ) {
    this.#token = token;
    this.#library = library;
    this.#signer = signer;
    this.#readPin = readPin;
  }

  /** The key, if it is there and can sign. Throws an AuthorityError or a RetryableError. */
  async find(key: KeyMatch, signal: AbortSignal): Promise<FoundKey> {
    const { found } = await this.#inTurn(() => this.#ask(key, undefined), signal);
    if (found === undefined) throw unexpected('no key');
    return found;
  }

  /** A signature by that key, as it comes from the token: nothing is proven. Throws an AuthorityError or a RetryableError. */
  async sign(key: KeyMatch, input: SigningInput, signal: AbortSignal): Promise<Buffer> {
    const { signature } = await this.#inTurn(() => this.#ask(key, input), signal);
    if (signature === undefined) throw unexpected('no signature');
    return Buffer.from(signature);
  }

  /** One at a time: of several that wait with a wrong PIN, the first alone tries it. */
  async #inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#waiting >= MOST_WAITING)
      throw new RetryableError('AuthorityBusy', `${MOST_WAITING} requests wait for the HSM already`);
    this.#waiting += 1;
    const turn = this.#last.then(() => {
      if (!signal.aborted) return work();
      // The time limit of the caller, which is no end of the controller.
      if ((signal.reason as { name?: string } | undefined)?.name === 'TimeoutError')
        throw new RetryableError('AuthorityBusy', 'the turn of this request at the HSM did not come in time');
      throw signal.reason;
    });
    const left = () => {
      this.#waiting -= 1;
    };
    this.#last = turn.then(left, left);
    return turn;
  }

  async #ask(key: KeyMatch, input: SigningInput | undefined): Promise<Answer> {
    const pin = await this.#readPin();
    const id = fingerprint([pin.pin, pin.version]);
    // A process that is logged in would go on with a PIN that is no longer the one of the spec.
    if (this.#usedPin !== undefined && this.#usedPin !== id) this.#signer.end();
    this.#usedPin = id;
    const wasLoggedIn = this.#signer.isLoggedIn;
    let answer = await this.#attempt(key, pin, input);
    // A session ends with a restart of the token or of the network in between: one new login is the cure.
    if (answer.failure !== undefined && wasLoggedIn && !PIN_FAILURES.includes(answer.failure.code))
      answer = await this.#attempt(key, pin, input);
    if (answer.failure === undefined) return answer;
    throw this.#errorOf(answer.failure, key, pin);
  }

  async #attempt(key: KeyMatch, pin: Pin, input: SigningInput | undefined): Promise<Answer> {
    const attempt = async () => {
      const answer = await this.#send({ token: this.#token, key, pin: pin.pin, input });
      if (answer.failure !== undefined && WRONG_PIN.includes(answer.failure.code)) REFUSED_PINS.add(this.#loginId(pin));
      return answer;
    };
    if (this.#signer.isLoggedIn) return attempt();
    // One token may be spelled in many ways, so its own attributes tell whether it has refused this PIN.
    const { failure, identity = '' } = await this.#send({ token: this.#token });
    if (failure !== undefined) return { failure };
    this.#identity = identity;
    return loginInTurn(identity, async () => {
      if (REFUSED_PINS.has(this.#loginId(pin))) throw refusedPin(pin, this.#token);
      return attempt();
    });
  }

  #loginId({ pin, version }: Pin): string {
    return fingerprint([this.#library, this.#identity, pin, version]);
  }

  async #send(question: SignerQuestion): Promise<Answer> {
    try {
      const answer = await this.#signer.ask(question);
      // The library may have kept its view of the token, so every failure is followed by a new process.
      if (answer.failure !== undefined) this.#signer.end();
      return answer;
    } catch (error) {
      if (error instanceof SignerLost) return { failure: { code: LOST, during: error.message } };
      throw error;
    }
  }

  #errorOf({ code, during }: SignerFailure, key: KeyMatch, pin: Pin): AuthorityError {
    if (code === LOST) return new AuthorityError('AuthorityUnavailable', during);
    if (WRONG_PIN.includes(code)) return refusedPin(pin, this.#token);
    const token = `the token (${tokenText(this.#token)})`;
    const own = Object.hasOwn(FAILURES, code) ? FAILURES[code as keyof typeof FAILURES] : undefined;
    if (own !== undefined) return own({ token, key: keyText(key), library: this.#library, pin: pin.place });
    return new AuthorityError(
      'AuthorityUnavailable',
      `${token} failed: ${code}${during === '' ? '' : ` of ${during}`}`,
    );
  }
}

const LOST = 'Lost';
const WRONG_PIN = ['CKR_PIN_INCORRECT', 'CKR_PIN_INVALID', 'CKR_PIN_LEN_RANGE'];
const PIN_FAILURES = [...WRONG_PIN, 'CKR_PIN_LOCKED', 'CKR_PIN_EXPIRED', 'PinLocked', 'PinLastTry'];

function refusedPin({ place }: Pin, token: TokenMatch): AuthorityError {
  return new AuthorityError(
    'CredentialsRefused',
    `the token (${tokenText(token)}) refused the PIN in ${place}. It is not tried again until that is written anew, since a token locks after a few wrong PINs`,
  );
}

function unexpected(what: string): AuthorityError {
  return new AuthorityError('InvalidAnswer', `the signer process answered with ${what}`);
}
