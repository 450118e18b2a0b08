import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Learns the process groups to end over its standard input. When that closes without a "done", we are gone, however it
 * came about (SIGKILL too): it ends the groups and removes the folder, and control groups that bear its name, more than
 * once where a dying program still writes.
 */
const watchdogScript = `
groups=
while read -r word group; do
  case $word in
    add) groups="$groups $group" ;;
    drop) rest=; for other in $groups; do [ "$other" = "$group" ] || rest="$rest $other"; done; groups=$rest ;;
    done) exit 0 ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null
[ "$1" ] || exit 0
for round in $(seq 30); do
  busy=
  for left in /sys/fs/cgroup/"\${1##*/}" /sys/fs/cgroup/*/"\${1##*/}"; do
    [ ! -d "$left" ] || find "$left" -depth -type d -exec rmdir {} + 2>/dev/null || busy=$left
  done
  rm -rf -- "$1" && [ ! "$busy" ] && exit 0
  sleep 0.1
done
`;

/**
 * A program starts only when told so, after the watchdog has learned its pid. Were we killed in between, the gate would
 * read the end of its pipe and go away by itself: there is no moment in which a program could be left behind.
 */
const gateScript = 'read -r go <&3 || exit 0; exec 3<&-; exec "$@"';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  readonly name: string;
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Undefined while it runs. */
  ending(): Ending | undefined;
  readonly ended: Promise<Ending>;
  /** SIGTERM, then SIGKILL after the grace, to it and all its children; comes back when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Kill at once what the program has left running in its group when it ended. */
  readonly endsGroup?: boolean;
  /** Standard output and error go to this file; without it they are pipes, and so is standard input. */
  readonly logPath?: string;
}

export interface Guard {
  run(name: string, program: string, args: readonly string[], options?: RunOptions): GuardedProcess;
  /** Stops what still runs, then the watchdog itself. */
  close(): Promise<void>;
}

export interface GuardOptions {
  /** Remove the folder when this process dies without closing the guard. */
  readonly removeFolder?: boolean;
}

/** The folder keeps the pid files. */
export function startGuard(ownFolder?: string, { removeFolder = false }: GuardOptions = {}): Guard {
  const doomed = removeFolder && ownFolder !== undefined ? ownFolder : '';
  // A session of its own: Ctrl-C in the terminal must not end the watchdog together with what it watches.
  const watchdog = spawn('/bin/sh', ['-c', watchdogScript, 'certwheel-watchdog', doomed], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const watchdogEnded = endingOf(watchdog);
  watchdogEnded.catch(() => {});
  watchdog.stdin.on('error', () => {});
  // A forgotten stop() must not keep the process alive: at its end the watchdog clears up.
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  const tell = (line: string) => watchdog.stdin.write(`${line}\n`);
  const running = new Set<GuardedProcess>();
  let closed = false;

  return {
    run(name, program, args, options = {}) {
      if (closed) {
        throw new Error(`${name} can't be run any more: what it belongs to was stopped.`);
      }
      const child = spawnBehindGate(program, args, options);
      const pid = child.pid;
      if (pid === undefined) {
        child.on('error', () => {});
        throw new Error(`Could not start ${name} (${program}): the system refused to create another process.`);
      }
      tell(`add ${pid}`);
      // What was left behind may hold the pipes, so that the end of the output would never come.
      if (options.endsGroup) child.once('exit', () => signalGroup(pid, 'SIGKILL'));
      const forget = ownFolder === undefined ? () => {} : recordPid(ownFolder, name, pid);
      let ending: Ending | undefined;
      const ended = endingOf(child).then((result) => {
        ending = result;
        running.delete(guarded);
        tell(`drop ${pid}`);
        forget();
        return result;
      });
      const guarded: GuardedProcess = {
        name,
        pid,
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        ending: () => ending,
        ended,
        stop: (graceMs = 5000) => stopGroup(child, pid, ended, graceMs),
      };
      running.add(guarded);
      const gate = child.stdio[3] as Socket;
      gate.on('error', () => {});
      gate.resume();
      gate.end('go\n');
      if (options.logPath !== undefined) {
        child.unref();
      }
      return guarded;
    },
    async close() {
      closed = true;
      await Promise.all([...running].map((process) => process.stop()));
      watchdog.ref();
      watchdog.stdin.end('done\n');
      await watchdogEnded;
    },
  };
}

function spawnBehindGate(program: string, args: readonly string[], options: RunOptions): ChildProcess {
  const log = options.logPath === undefined ? undefined : openSync(options.logPath, 'a');
  const stdio: StdioOptions = log === undefined ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['ignore', log, log, 'pipe'];
  try {
    return spawn('/bin/sh', ['-c', gateScript, 'certwheel-gate', program, ...args], {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio,
      detached: true,
    });
  } finally {
    if (log !== undefined) {
      closeSync(log);
    }
  }
}

async function stopGroup(child: ChildProcess, pid: number, ended: Promise<Ending>, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    await ended;
    return;
  }
  child.ref();
  signalGroup(pid, 'SIGTERM');
  const patience = new AbortController();
  const tooLong = sleep(graceMs, undefined, { signal: patience.signal }).then(
    () => signalGroup(pid, 'SIGKILL'),
    () => {},
  );
  await ended;
  patience.abort();
  await tooLong;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}

async function endingOf(child: ChildProcess): Promise<Ending> {
  // 'close', not 'exit': by then everything that it printed has been read.
  const [code, signal] = await once(child, 'close');
  return { code, signal };
}

export const pidFolder = (folder: string): string => join(folder, 'pids');

function recordPid(folder: string, name: string, pid: number): () => void {
  const path = join(pidFolder(folder), `${name}-${pid}`);
  mkdirSync(pidFolder(folder), { recursive: true });
  writeFileSync(path, String(pid));
  return () => rmSync(path, { force: true });
}
