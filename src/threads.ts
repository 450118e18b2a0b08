import { availableParallelism } from 'node:os';

/**
 * The threads of libuv's pool, which everything shares that takes a thread: RSA keys are made there for up to seconds,
 * passwords are stretched, and names of hosts are resolved, which lasts until a name server answers. Each kind has threads of
 * its own, and together they have no more than there are, so that none waits for another one.
 */
const POOL = Math.max(4, Number(process.env.UV_THREADPOOL_SIZE) || 4);

/** Two, so that a name whose server never answers leaves one to the others. libuv itself gives names half of the pool. */
const NAMES = 2;
const PASSWORDS = 1;

export const THREADS = {
  pool: POOL,
  names: NAMES,
  passwords: PASSWORDS,
  /** One core is left to the event loop. */
  keys: Math.max(1, Math.min(3, availableParallelism() - 1, POOL - NAMES - PASSWORDS)),
};

/** Work that takes threads, at most so much at once, in the order in which it came. */
export class ThreadLimit {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A thread goes straight to the next in line, so that nothing can slip in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

/** For what OpenSSL computes over large numbers: RSA keys are made here, and signatures that take long. */
export const keyThreads = new ThreadLimit(THREADS.keys);

/** For keys that are derived from passwords by many rounds of a hash. */
export const passwordThreads = new ThreadLimit(THREADS.passwords);
