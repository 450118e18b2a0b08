import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock } from '../clock.ts';

/** Whoever asks within this time gets the same bytes. */
const SHARED_MS = 1_000;

/**
 * Series repeat each other so much that the fastest level makes them as small as any. It compresses on libuv's threads,
 * 16 KiB of output at a time, so it keeps none of them from others for long (threads.ts).
 */
const compress = promisify(gzip);
const FASTEST = { level: constants.Z_BEST_SPEED };

/** What is served to everybody for a moment: plain, and compressed once somebody asks for that. */
export class Rendering {
  readonly plain: Buffer;
  #gzip: Promise<Buffer> | undefined;

  constructor(plain: Buffer) {
    this.plain = plain;
  }

  gzip(): Promise<Buffer> {
    this.#gzip ??= compress(this.plain, FASTEST);
    return this.#gzip;
  }
}

/**
 * Renders at most once a second, and never twice at once, however many ask. The rendering is given up after its second:
 * between two scrapes nothing of it stays in memory.
 */
export function shareRendering(render: () => Promise<Buffer>, clock: Pick<Clock, 'sleep'>): () => Promise<Rendering> {
  let current: Promise<Rendering> | undefined;
  return () => {
    if (current !== undefined) return current;
    current = render().then((plain) => new Rendering(plain));
    void Promise.allSettled([current, clock.sleep(SHARED_MS)]).then(() => {
      current = undefined;
    });
    return current;
  };
}
