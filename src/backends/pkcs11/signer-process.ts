import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from '../../abort.ts';
import type { SignerAnswer, SignerQuestion, SignerRequest } from './messages.ts';

/** A login over the network takes a second; whoever waits longer than this waits for a library that hangs. */
const ANSWER_MS = 10_000;

/** The program of the signer process: among the sources, and beside the bundle in the image. */
const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './signer/main.ts' : './pkcs11-signer.mjs', import.meta.url);

/** The process ended, or was ended since it didn't answer; a sentence. */
export class SignerLost extends Error {}

interface Running {
  readonly child: ChildProcess;
  /** Whether it has done at least once what needs a login. */
  hasLoggedIn: boolean;
}

/**
 * The process that has loaded the PKCS#11 library, started when it is first needed. It answers one request at a time. A
 * library that crashes or hangs takes that process with it, and nothing else.
 */
export class SignerProcess {
  readonly #args: readonly [addon: string, library: string];
  readonly #answerMs: number;
  #running: Running | undefined;
  #isClosed = false;
  #lastId = 0;

  constructor(addon: string, library: string, answerMs = ANSWER_MS) {
    this.#args = [addon, library];
    this.#answerMs = answerMs;
  }

  /** Whether the process that would answer now is logged in: then a failure may be that of its session. */
  get isLoggedIn(): boolean {
    return this.#running?.hasLoggedIn === true;
  }

  /** Ends the process; the next request starts another one. */
  end(): void {
    this.#running?.child.kill('SIGKILL');
    this.#running = undefined;
  }

  /** Ends it for good. */
  close(): void {
    this.#isClosed = true;
    this.end();
  }

  /** Asks one thing; the next one only when this has ended. Throws SignerLost. */
  async ask(request: SignerQuestion): Promise<SignerAnswer> {
    if (this.#isClosed) throw new SignerLost('the authority was changed or removed');
    const running = this.#running ?? this.#startOrFail();
    this.#running = running;
    this.#lastId += 1;
    const id = this.#lastId;
    try {
      const answer = await within(this.#answerMs, new AbortController().signal, (signal) =>
        answerOf(running.child, { ...request, id }, signal),
      );
      if (answer.id !== id) throw new SignerLost('the process of the PKCS#11 library answered something else');
      if (answer.failure === undefined && request.pin !== undefined) running.hasLoggedIn = true;
      return answer;
    } catch (error) {
      // Whatever it does, its next answer could be to this request.
      if (this.#running === running) this.end();
      if (error instanceof SignerLost) throw error;
      const isLate = (error as { name?: string }).name === 'AbortError';
      throw new SignerLost(
        isLate
          ? `the PKCS#11 library did not answer within ${this.#answerMs / 1_000} s, and its process was ended`
          : 'the process of the PKCS#11 library could not be asked',
      );
    }
  }

  #startOrFail(): Running {
    try {
      return this.#start();
    } catch (error) {
      const code = (error as { code?: string }).code ?? 'unknown error';
      throw new SignerLost(`the process of the PKCS#11 library could not be started: ${code}`);
    }
  }

  #start(): Running {
    const child = fork(PROGRAM, this.#args, {
      // Bytes go as they are.
      serialization: 'advanced',
      // Nothing of a vendor's library is logged: it may print what it was given.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    const running = { child, hasLoggedIn: false };
    const forget = () => {
      if (this.#running === running) this.#running = undefined;
    };
    child.once('exit', forget);
    // What comes of a failed start or a closed channel is for `answerOf` to say.
    child.on('error', forget);
    return running;
  }
}

async function answerOf(child: ChildProcess, request: SignerRequest, signal: AbortSignal): Promise<SignerAnswer> {
  const scope = new AbortController();
  const abort = () => scope.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const ended = once(child, 'exit', { signal: scope.signal }).then(([code, name]) => {
      throw new SignerLost(`the process of the PKCS#11 library ended (${name ?? `exit code ${code}`})`);
    });
    // An 'error' event rejects it.
    const answered = once(child, 'message', { signal: scope.signal });
    const first = Promise.race([answered, ended]);
    // What `send` throws comes before it is waited for.
    first.catch(() => {});
    child.send(request);
    const [answer] = await first;
    return answer as SignerAnswer;
  } finally {
    signal.removeEventListener('abort', abort);
    scope.abort();
  }
}
