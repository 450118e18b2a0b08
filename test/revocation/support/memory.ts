import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The memory (Pss: what is shared counts once) of a process and of all below it, in MB. */
export function memoryOf(pid: number): number {
  const kilobytes = [...familyOf(pid)].map((each) => {
    const [, size = '0'] = /^Pss:\s+(\d+) kB/m.exec(readOr(`/proc/${each}/smaps_rollup`)) ?? [];
    return Number(size);
  });
  return kilobytes.reduce((sum, size) => sum + size, 0) / 1000;
}

const PAUSE_MS = 50;

/** The most of it that was seen while `work` ran. */
export async function memoryWhile(pid: number, work: () => Promise<void>): Promise<number> {
  let [most, isOver] = [0, false];
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, memoryOf(pid));
      await sleep(PAUSE_MS);
    }
  })();
  try {
    await work();
  } finally {
    isOver = true;
    await watching;
  }
  return most;
}

function familyOf(pid: number): ReadonlySet<number> {
  const family = new Set([pid]);
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(name)] as const);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const [child, parent] of parents) if (family.has(parent)) family.add(child);
  }
  return family;
}

function parentOf(name: string): number {
  // The name of the program, in brackets, may hold spaces.
  const [, parent = '0'] = /\) \S (\d+) /.exec(readOr(`/proc/${name}/stat`)) ?? [];
  return Number(parent);
}

/** Nothing of a process that has ended meanwhile. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
