import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { type OcspKey, parseOcspName, readOcspKey } from '../revocation/crl/ocsp-files.ts';
import { messageOf } from '../thrown.ts';

const READ_AGAIN_MS = 5_000;

/** The keys of a mounted Secret, as of the last time that it was read. */
export interface KeyFolder {
  /** `place` as placeKey has it. */
  find(place: string): OcspKey | undefined;
}

/**
 * Reads the folder until `signal` aborts. The kubelet replaces what is in it as a whole; a folder that is missing has no keys,
 * since the Secret is made with the first authority that has spec.revocation.url.
 */
export function followKeys(
  folder: string,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): KeyFolder {
  let keys: ReadonlyMap<string, OcspKey> = new Map();
  let former: Readonly<Record<string, Buffer>> = {};
  const read = async () => {
    const data = await filesIn(folder);
    if (isSame(data, former)) return;
    former = data;
    keys = keysOf(data, log);
    log.info('keys for OCSP answers', { places: [...keys.keys()] });
  };
  const follow = async () => {
    while (!signal.aborted) {
      await read().catch((error: unknown) => log.warn("keys can't be read", { folder, error: messageOf(error) }));
      await clock.sleep(READ_AGAIN_MS, signal).catch(() => {});
    }
  };
  void follow();
  return { find: (place) => keys.get(place) };
}

async function filesIn(folder: string): Promise<Readonly<Record<string, Buffer>>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => parseOcspName(name) !== undefined).sort();
  return Object.fromEntries(await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name))])));
}

function isSame(one: Readonly<Record<string, Buffer>>, other: Readonly<Record<string, Buffer>>): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name]?.equals(other[name] ?? Buffer.alloc(0)) === true)
  );
}

/** A pair that can't be read makes no other one unreadable. */
function keysOf(data: Readonly<Record<string, Buffer>>, log: Logger): ReadonlyMap<string, OcspKey> {
  const places = new Map(
    Object.keys(data).flatMap((name) => {
      const parsed = parseOcspName(name);
      return parsed === undefined ? [] : [[parsed.place, parsed.stem] as const];
    }),
  );
  const keys = new Map<string, OcspKey>();
  for (const [place, stem] of places) {
    try {
      keys.set(place, readOcspKey(data, stem));
    } catch (error) {
      log.warn("a key for OCSP answers can't be used", { place, error: messageOf(error) });
    }
  }
  return keys;
}
