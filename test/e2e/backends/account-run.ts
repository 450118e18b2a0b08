import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as assert from 'uvu/assert';
import { onStop } from '../../teardown.ts';

/** A run of `make verify-backend` as a person starts it, whose variables name a server of the test. */
export interface AccountRun {
  readonly child: ChildProcess;
  /** Its exit code, with all that it printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

export function runAccount(backend: string, variables: Readonly<Record<string, string>>): AccountRun {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [`${import.meta.dirname}/account.ts`], {
    env: { PATH, HOME, BACKEND: backend, CONFIRM: 'yes', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = [child.stdout, child.stderr].map((stream) => text(stream));
  const ended = once(child, 'close').then(async ([code]) => ({ code, output: (await Promise.all(printed)).join('') }));
  onStop(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { child, ended };
}

/** Writes files for the variables that name one. */
export function filesOf<Name extends string>(contents: Readonly<Record<Name, string>>): Readonly<Record<Name, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-account-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  const paths = Object.entries<string>(contents).map(([name, content]) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return [name, path];
  });
  return Object.fromEntries(paths);
}

/** Runs it to its end: the number of certificates that it announced is what it made. */
export async function verify(backend: string, variables: Readonly<Record<string, string>>, made: () => number) {
  const { code, output } = await runAccount(backend, variables).ended;
  assert.is(code, 0, output);
  const announced = Number(/makes at the real service: about (\d+) certificates/.exec(output)?.[1]);
  assert.ok(Math.abs(made() - announced) <= announced / 5, `announced ${announced}, made ${made()}`);
}
