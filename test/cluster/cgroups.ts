import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const ROUNDS = 30;
const PAUSE_MS = 100;

/** A node puts what it runs into control groups that are named after the folder of its run. */
export const cgroupOf = (folder: string): string => `/${basename(folder)}`;

/** The kubelet wants its root to be there, with every controller. */
export function makeCgroups(folder: string): void {
  for (const tree of treesOf()) mkdirSync(join(ROOT, tree, cgroupOf(folder)), { recursive: true });
}

/** The kernel keeps the control groups of processes that are gone, and those of processes that are just going. */
export function removeCgroups(folder: string): void {
  for (let round = 0; round < ROUNDS; round++) {
    if (rootsOf(folder).filter((path) => !removed(path)).length === 0) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function rootsOf(folder: string): string[] {
  return treesOf()
    .map((tree) => join(ROOT, tree, cgroupOf(folder)))
    .filter((path) => isFolder(path));
}

/** With version 1 there is a tree for each controller, with version 2 one for all. */
function treesOf(): readonly string[] {
  return existsSync(join(ROOT, 'cgroup.controllers')) ? ['.'] : subfoldersOf(ROOT);
}

function removed(path: string): boolean {
  const inner = subfoldersOf(path).map((name) => removed(join(path, name)));
  try {
    rmdirSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && inner.every(Boolean);
  }
  return true;
}

function subfoldersOf(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
