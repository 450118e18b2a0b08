import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** A control group that ends a process which takes more memory than allowed, as the kubelet's do. Needs root. */
export interface MemoryGroup {
  /** Runs a program within the group from its first instruction on: Node sizes its heap by the limit at the start. */
  readonly command: (program: string, args: readonly string[]) => readonly [string, readonly string[]];
  /** The most that was in use at once, in bytes. */
  peak(): number;
  /** How many processes the kernel has killed. */
  kills(): number;
  /** All processes of it must have ended. */
  remove(): void;
}

export function makeMemoryGroup(name: string, limitBytes: number): MemoryGroup {
  const isUnified = existsSync(join(ROOT, 'cgroup.controllers'));
  const folder = isUnified ? join(ROOT, name) : join(ROOT, 'memory', name);
  mkdirSync(folder, { recursive: true });
  const file = (each: string) => join(folder, each);
  const read = (each: string) => readFileSync(file(each), 'utf8');
  if (isUnified) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+memory');
  writeFileSync(file(isUnified ? 'memory.max' : 'memory.limit_in_bytes'), String(limitBytes));
  const swap = file(isUnified ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes');
  if (existsSync(swap)) writeFileSync(swap, isUnified ? '0' : String(limitBytes));
  return {
    command: (program, args) => ['sh', ['-c', 'echo $$ > "$0" && exec "$@"', file('cgroup.procs'), program, ...args]],
    peak: () => Number(read(isUnified ? 'memory.peak' : 'memory.max_usage_in_bytes')),
    kills: () => Number(/^oom_kill (\d+)$/m.exec(read(isUnified ? 'memory.events' : 'memory.oom_control'))?.[1]),
    remove: () => rmdirSync(folder),
  };
}
