import { readdirSync, readFileSync } from 'node:fs';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { pidFolder } from '../cluster/guard.ts';

/** As the kernel counts it. */
export function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** The pid of a program of the control plane. */
export function pidIn({ dir }: Pick<ControlPlane, 'dir'>, program: 'kube-apiserver' | 'etcd'): number {
  const pid = readdirSync(pidFolder(dir))
    .find((file) => file.startsWith(`${program}-`))
    ?.slice(program.length + 1);
  if (pid === undefined) throw new Error(`${program} doesn't run in ${dir}`);
  return Number(pid);
}

/** Calls `work` for each item, so many at once. */
export async function inLanes<T>(
  items: Iterable<T>,
  lanes: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
