import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock } from '../clock.ts';

/** Scrapes within this time get the same bytes. */
const SHARED_MS = 1_000;

/**
 * Runs on libuv's threads, 16 KiB of output at a time, so no other work waits long for one (threads.ts). Series repeat each
 * other so much that the fastest level compresses them as well as any.
 */
const compress = promisify(gzip);
const FASTEST = { level: constants.Z_BEST_SPEED };

/** The text of one scrape, and its gzip form, made when first needed. */
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
 * Renders at most once a second, and never twice at once, however many scrapes there are. The rendering is dropped after its
 * second, so no memory is held between two scrapes.
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
