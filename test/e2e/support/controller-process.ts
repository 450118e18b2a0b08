import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStop } from '../../teardown.ts';
import { eventually } from './eventually.ts';

const MAIN = `${import.meta.dirname}/../../../src/main.ts`;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface ControllerProcess {
  readonly pid: number;
  /** Everything that it has logged so far. */
  readonly logs: readonly LogLine[];
  /** What it wrote that is no log line, such as the one line of a failed start. */
  readonly errors: readonly string[];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  metrics(): Promise<string>;
  /** Any signal; SIGSTOP and SIGCONT freeze and wake it. */
  signal(name: NodeJS.Signals): void;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts the real controller, `node src/main.ts`, on ports of its own choosing; it ends with the test file. */
export function launchController(
  kubeconfig: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  program = MAIN,
): ControllerProcess {
  const child = spawn(
    process.execPath,
    [
      program,
      '--kubeconfig',
      kubeconfig,
      '--log-format',
      'json',
      '--metrics-bind-address',
      '127.0.0.1:0',
      '--health-probe-bind-address',
      '127.0.0.1:0',
      ...args,
    ],
    { stdio: ['ignore', 'inherit', 'pipe'], env: { PATH: process.env.PATH, ...ofLibraries(), ...env } },
  );
  const logs: LogLine[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    if (process.env.DEBUG) console.error(`${child.pid} ${line}`);
    if (line.startsWith('{')) logs.push(JSON.parse(line));
    else errors.push(line);
  });
  const controller = handle(child, logs, errors);
  onStop(controller.kill);
  return controller;
}

/** What PKCS#11 libraries read, where the test has set it: a vendor's library is configured in no other way. */
function ofLibraries(): Readonly<Record<string, string>> {
  const names = ['SOFTHSM2_CONF', 'PKCS11SPY', 'PKCS11SPY_OUTPUT'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** Starts it and waits until its caches are filled and its probes say so. */
export async function startController(
  kubeconfig: string,
  args: readonly string[] = [],
  program = MAIN,
): Promise<ControllerProcess> {
  const controller = launchController(kubeconfig, args, {}, program);
  await eventually('the controller is ready', async () => {
    const exited = await Promise.race([controller.exited, sleep(0)]);
    if (exited !== undefined)
      throw new Error(`the controller exited with ${exited.code ?? exited.signal}: ${controller.errors.join('\n')}`);
    return isReady(controller);
  });
  return controller;
}

function handle(child: ChildProcess, logs: LogLine[], errors: string[]): ControllerProcess {
  // Not 'exit': what it wrote last would still be unread.
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const fresh = freshScrapes();
  const end = async (name: NodeJS.Signals) => {
    child.kill(name);
    // A frozen process takes no signal but SIGKILL until it is woken.
    child.kill('SIGCONT');
    return (await exited).code;
  };
  return {
    pid: child.pid ?? 0,
    logs,
    errors,
    exited,
    signal: (name) => void child.kill(name),
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    metrics: async () => {
      await fresh();
      return (await fetch(`http://127.0.0.1:${portOf(logs, 'metricsPort')}/metrics`)).text();
    },
  };
}

/** Scrapes within a second get the same text, which may be older than what a test has just seen elsewhere. */
const SHARED_MS = 1_100;

/** Resolves when the text of the last scrape is shared no longer. */
function freshScrapes(): () => Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  return async () => {
    const waitMs = before + SHARED_MS - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    before = performance.now();
  };
}

async function isReady({ logs }: ControllerProcess): Promise<boolean> {
  const port = portOf(logs, 'healthPort');
  if (port === undefined) return false;
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Undefined until it serves. */
export function portOf(logs: readonly LogLine[], field: 'metricsPort' | 'healthPort'): unknown {
  return logs.find((line) => line[field] !== undefined)?.[field];
}
