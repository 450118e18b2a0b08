import { readFileSync, readlinkSync } from 'node:fs';

/**
 * A pid alone is reused sooner or later, so the start time goes with it. Pids mean nothing in another container, so
 * the pid namespace goes with it too. Where there is no /proc the pid has to do.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly namespace: string;
}

export type Liveness = 'alive' | 'dead' | 'unknown';

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTime: procStat(process.pid)?.startTime ?? '', namespace: ownNamespace() };
}

export function liveness({ pid, startTime, namespace }: ProcessIdentity): Liveness {
  if (namespace !== ownNamespace()) {
    return 'unknown';
  }
  return isRunning(pid) && (procStat(pid)?.startTime ?? '') === startTime ? 'alive' : 'dead';
}

/** A zombie doesn't count: in a container without an init process they stay for ever. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and is somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') {
      return false;
    }
  }
  return procStat(pid)?.state !== 'Z';
}

export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime, namespace }: Partial<ProcessIdentity> = JSON.parse(text);
    return pid && startTime !== undefined && namespace !== undefined ? { pid, startTime, namespace } : undefined;
  } catch {
    return undefined;
  }
}

function procStat(pid: number): { state: string; startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name, which may itself hold spaces and parentheses (proc(5)); what follows are
    // the third field, its state, up to the 22nd, its start time, and more.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function ownNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
