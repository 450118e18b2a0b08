import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AuthorityError } from '../../errors.ts';

/** A file of a volume that is mounted is there in milliseconds. */
const READ_MS = 5_000;

interface PinFile {
  readonly bytes: Buffer;
  /** Differs after the file was written again. */
  readonly version: string;
}

/**
 * At most `most` bytes of a file below the PIN folder. Throws an AuthorityError: CredentialsRefused where it is elsewhere,
 * CredentialsNotFound where it can't be read, or not in time.
 */
export async function readPinFile(folder: string, name: string, most: number): Promise<PinFile> {
  const place = placeOf(folder, name);
  try {
    return await oneAtATime(place, () => read(folder, name, most));
  } catch (error) {
    if (error instanceof AuthorityError) throw error;
    const code = (error as { code?: string }).code ?? 'unknown error';
    throw new AuthorityError('CredentialsNotFound', `${place}, which is to hold the PIN, can't be read: ${code}`);
  }
}

/** For messages. */
export function placeOf(folder: string, name: string): string {
  return `the file ${join(folder, name)}`;
}

async function read(folder: string, name: string, most: number): Promise<PinFile> {
  // A Secret that is mounted has links in it, so the folder is compared after they are followed.
  const [root, path] = [await realpath(folder), await realpath(join(folder, name))];
  if (!path.startsWith(`${root}${sep}`))
    throw new AuthorityError('CredentialsRefused', `${placeOf(folder, name)} leads out of --pkcs11-pin-folder`);
  const { mtimeMs } = await stat(path);
  return { bytes: await readAtMost(path, most), version: `${mtimeMs}` };
}

/** A fifo or an endless file must not hold up the controller. */
async function readAtMost(path: string, most: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(most), 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

let last: Promise<unknown> = Promise.resolve();
/** The file whose reading has not ended in time. */
let hanging: string | undefined;

/**
 * A file system that hangs, such as that of a server that is gone, holds a thread until it answers, and all files and DNS
 * lookups of the process share four. So one file is read at a time, and none while one hangs.
 */
async function oneAtATime<T>(place: string, work: () => Promise<T>): Promise<T> {
  const turn = last.then(() => {
    if (hanging !== undefined) throw hangs(hanging);
    return inTime(place, work());
  });
  last = turn.catch(() => {});
  return turn;
}

async function inTime<T>(place: string, reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      hanging = place;
      const isOver = () => {
        hanging = undefined;
      };
      reading.then(isOver, isOver);
      reject(hangs(place));
    }, READ_MS);
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}

function hangs(place: string): AuthorityError {
  return new AuthorityError(
    'CredentialsNotFound',
    `no PIN is read from --pkcs11-pin-folder, since its file system does not answer: ${place} was not read within ${READ_MS / 1_000} s; check the volume that is mounted there and the server or CSI driver behind it`,
  );
}
