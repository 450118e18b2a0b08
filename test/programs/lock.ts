import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { liveness, ownIdentity, parseIdentity } from '../cluster/process-identity.ts';
import { showProgress } from './progress.ts';

const pollMs = 300;

/** Runs `work` while no other process does so under the same path; the lock of a dead process is taken over. */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  await acquire(path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

async function acquire(path: string): Promise<void> {
  if (tryAcquire(path)) {
    return;
  }
  await showProgress(`waiting for another process that builds the same (${path})`, async () => {
    while (!tryAcquire(path)) {
      await sleep(pollMs);
    }
    return '';
  });
}

function tryAcquire(path: string): boolean {
  dropStale(path);
  // A link to a finished file: nobody ever sees a lock without its owner in it.
  const candidate = `${path}.${process.pid}`;
  writeFileSync(candidate, JSON.stringify(ownIdentity()));
  try {
    linkSync(candidate, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  } finally {
    rmSync(candidate, { force: true });
  }
}

/**
 * Two processes may drop the same stale lock at once and, at the very worst, both build: each builds to a name of its
 * own and renames, so that costs time and nothing else.
 */
function dropStale(path: string): void {
  try {
    const owner = parseIdentity(readFileSync(path, 'utf8'));
    if (owner === undefined || liveness(owner) === 'dead') {
      const grave = `${path}.stale.${process.pid}`;
      renameSync(path, grave);
      rmSync(grave, { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  }
}
