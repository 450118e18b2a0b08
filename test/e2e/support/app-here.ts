import { type App, startApp } from '../../../src/app.ts';
import { systemClock } from '../../../src/clock.ts';
import { parseCommandLine } from '../../../src/config.ts';
import type { LogFields, Logger } from '../../../src/log.ts';
import { onStop } from '../../teardown.ts';
import type { LogLine } from './controller-process.ts';
import type { World } from './world.ts';

/** The app itself in this process, ready, with a clock of its own that a test can set. */
export interface AppHere {
  readonly app: App;
  readonly logs: readonly LogLine[];
  /** By how much its clock is ahead. */
  setTo(offsetMs: number): void;
  stop(): Promise<void>;
}

/** It serves one namespace and ends with the test file. */
export async function startAppHere(world: World, namespace: string, flags: readonly string[] = []): Promise<AppHere> {
  const logs: LogLine[] = [];
  let offsetMs = 0;
  const now = () => new Date(Date.now() + offsetMs);
  const app = await startApp(configFor(world, namespace, flags), { ...systemClock, now }, loggerInto(logs), () => {});
  const stop = onStop(() => app.stop());
  await app.ready;
  const setTo = (ms: number) => {
    offsetMs = ms;
  };
  return { app, logs, setTo, stop };
}

function configFor({ cluster }: World, namespace: string, flags: readonly string[]) {
  const ports = ['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0'];
  const args = ['--kubeconfig', cluster.kubeconfigPath, '--namespaces', namespace, ...flags, ...ports];
  const command = parseCommandLine(args, {}, false);
  if ('print' in command) throw new Error('no configuration');
  return command.config;
}

function loggerInto(logs: LogLine[]): Logger {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      if (process.env.DEBUG) console.error(level, message, JSON.stringify(fields));
      logs.push({ ...fields, level, message });
    };
  return { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') };
}
