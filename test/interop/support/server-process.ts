import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { startGuard } from '../../cluster/guard.ts';
import { LogPart, waitUntilReady } from '../../cluster/ready.ts';
import { onStop } from '../../teardown.ts';

interface ServerCommand {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Its working folder; its standard output and error go to NAME.log in there. */
  readonly folder: string;
  readonly port: number;
  /** Asked until it is true, in place of a connection to the port. */
  readonly isReady?: () => Promise<boolean>;
}

export interface ServerProcess {
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  log(): string;
  stop(): Promise<void>;
}

/** Starts a server in the foreground and waits until its port answers. Throws an Error with the end of its log. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { name, program, args, environment = {}, folder, port } = command;
  const guard = startGuard();
  const stop = onStop(() => guard.close());
  const logPath = join(folder, `${name}.log`);
  const log = new LogPart(logPath);
  const process_ = guard.run(name, program, args, { environment, folder, logPath });
  try {
    await waitUntilReady(process_, log, command.isReady ?? (() => answers(port)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: process_.pid,
    signal: (signal) => {
      process.kill(process_.pid, signal);
    },
    log: () => log.read(),
    stop,
  };
}

/** Whether something accepts connections there. */
export function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** Whether a TLS server there sends its certificate; TLS 1.3 comes so far before the server asks for one of the client. */
export function presentsCertificate(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  socket.setTimeout(5_000, () => resolve(false));
  socket.once('secureConnect', () => resolve(true));
  socket.on('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/**
 * Runs a shell script to its end. Its output is a file, as in a container, since programs that open /dev/stderr can't do so
 * where it is a socket of Node's. Throws an Error with that output if it fails.
 */
export async function runScript(
  script: string,
  { folder, environment = {} }: { folder: string; environment?: Readonly<Record<string, string>> },
): Promise<void> {
  const logPath = join(folder, 'script.log');
  writeFileSync(logPath, '');
  const log = openSync(logPath, 'a');
  try {
    const env = { ...process.env, ...environment };
    const [code] = await once(spawn('sh', [script], { cwd: folder, env, stdio: ['ignore', log, log] }), 'exit');
    if (code !== 0) throw new Error(`${script} failed (exit code ${code}):\n${readFileSync(logPath, 'utf8')}`);
  } finally {
    closeSync(log);
  }
}
