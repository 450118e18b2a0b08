import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeCgroups } from './cgroups.ts';
import { pidFolder } from './guard.ts';
import { isRunning, liveness, ownIdentity, parseIdentity } from './process-identity.ts';

const folderPattern = /^certwheel-cluster-(\d+)-/;
const worthKeeping: ReadonlySet<string> = new Set(['kept', 'logs', 'audit.log', 'owner.json']);
const keptForMs = 24 * 3_600_000;

/** Named after this process, so that a later run can tell whether its owner still lives. */
export function createRunFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `certwheel-cluster-${process.pid}-`));
  writeFileSync(ownerPath(folder), JSON.stringify(ownIdentity()));
  return folder;
}

/** Keeps the folder of a dead run, for a day: somebody is to read its logs. */
export function markKept(folder: string): void {
  writeFileSync(keptPath(folder), '');
}

export function keepOnlyLogs(folder: string): void {
  markKept(folder);
  for (const entry of readdirSync(folder)) {
    if (!worthKeeping.has(entry)) {
      rmSync(join(folder, entry), { recursive: true, force: true });
    }
  }
}

/** The second line of defence: the watchdog clears up after a killed run, this clears up after a killed watchdog. */
export function removeLeftovers(): void {
  for (const entry of readdirSync(tmpdir())) {
    const pid = Number(folderPattern.exec(entry)?.[1]);
    const folder = join(tmpdir(), entry);
    if (pid > 0 && isOurs(folder) && isDead(folder, pid) && !isKept(folder)) {
      killRecorded(folder);
      removeCgroups(folder);
      removeIfPossible(folder);
    }
  }
}

/** A new run has nothing to fear from an old folder, so it starts all the same. */
function removeIfPossible(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  } catch (error) {
    process.stderr.write(`could not remove ${folder} of an earlier run, please do: ${(error as Error).message}\n`);
  }
}

const ownerPath = (folder: string): string => join(folder, 'owner.json');

const keptPath = (folder: string): string => join(folder, 'kept');

function isKept(folder: string): boolean {
  const stat = lstatSync(keptPath(folder), { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < keptForMs;
}

function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid?.();
}

function isDead(folder: string, pid: number): boolean {
  const owner = parseIdentity(read(ownerPath(folder)));
  return owner === undefined ? !isRunning(pid) : liveness(owner) === 'dead';
}

function killRecorded(folder: string): void {
  for (const text of list(pidFolder(folder)).map((file) => read(join(pidFolder(folder), file)))) {
    const pid = Number(text);
    // Pids are reused: only a process that was started on this very folder is ours.
    if (pid > 1 && commandLine(pid).includes(folder)) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It ended by itself in this moment.
      }
    }
  }
}

function commandLine(pid: number): string {
  return (
    read(`/proc/${pid}/cmdline`) ||
    spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).stdout?.toString() ||
    ''
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
