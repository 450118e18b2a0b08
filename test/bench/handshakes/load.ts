import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Bytes, Connection, Cost } from './tables.ts';

const run = promisify(execFile);

/** A server to put a load on, and the files of its client. */
export interface Target {
  readonly port: number;
  /** The only process that does its handshakes. */
  readonly workerPid: number;
  /** The file with what the client trusts. */
  readonly ca: string;
  /** The folder with tls.crt and tls.key; undefined for a client without a certificate. */
  readonly client?: string | undefined;
  /** The file with the intermediates of the client; undefined where it has none. */
  readonly intermediates?: string | undefined;
}

/** Requests by curl, one after the other; throws if the server got them in another way than `connection` says. */
export async function requestCost(target: Target, connection: Connection, requests: number): Promise<Cost> {
  const ends = ['--header', 'Connection: close'];
  const how = {
    'full handshake': ['--no-sessionid', ...ends],
    'resumed session': ends,
    'kept connection': [],
  }[connection];
  const files =
    target.client === undefined ? [] : ['--cert', `${target.client}/tls.crt`, '--key', `${target.client}/tls.key`];
  const url = `https://localhost:${target.port}/[1-${requests}]`;
  const args = ['--silent', '--fail', '--http1.1', '--cacert', target.ca, ...files, ...how, url];
  const { output, serverMicros, clientMicros } = await timed(target.workerPid, 'curl', args);
  const answers = output.trim().split('\n');
  // The first has no session to resume, and no connection that was there before.
  const expected = answers.filter((answer) => KINDS[connection].test(answer)).length;
  if (answers.length !== requests || expected < requests * 0.99)
    throw new Error(`${connection}: ${expected} of ${requests} requests, such as ${answers.at(-1)}`);
  return { serverMicros: serverMicros / requests, clientMicros: clientMicros / requests };
}

/** The body of an answer, `verify=$ssl_client_verify reused=$ssl_session_reused request=$connection_requests`. */
const KINDS: Readonly<Record<Connection, RegExp>> = {
  'full handshake': /^verify=(SUCCESS|NONE) reused=\. request=1$/,
  'resumed session': /^verify=SUCCESS reused=r request=1$/,
  // nginx ends a connection after 1,000 requests, and curl resumes its session then.
  'kept connection': /^verify=SUCCESS reused=[.r] request=(?!1$)\d+$/,
};

/** What a full handshake has sent and read, by `openssl s_client`. */
export async function handshakeBytes({ port, client, intermediates }: Target): Promise<Bytes> {
  const own = client === undefined ? [] : ['-cert', `${client}/tls.crt`, '-key', `${client}/tls.key`];
  // It sends the intermediates only if they are named apart, and with `-CAfile` the root too.
  const above = intermediates === undefined ? [] : ['-cert_chain', intermediates];
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, ...own, ...above];
  const running = run('openssl', args);
  running.child.stdin?.end();
  const { stdout } = await running;
  const [, bytesRead, bytesSent] = /SSL handshake has read (\d+) bytes and written (\d+) bytes/.exec(stdout) ?? [];
  return { bytesSent: Number(bytesSent), bytesRead: Number(bytesRead) };
}

/** The CPU time that the program and the worker took meanwhile, in microseconds. */
async function timed(workerPid: number, program: string, args: readonly string[]) {
  const before = cpuMicros(workerPid);
  const script = 'TIMEFORMAT="cpu %U %S"; time "$0" "$@"';
  const { stdout, stderr } = await run('bash', ['-c', script, program, ...args], { maxBuffer: 1 << 26 });
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? [];
  const clientMicros = (Number(user) + Number(system)) * 1e6;
  return { output: stdout, serverMicros: cpuMicros(workerPid) - before, clientMicros };
}

/** The CPU time of a process with one thread. */
function cpuMicros(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
}

/** The one child of a process. Throws an Error unless there is one. */
export function onlyChildOf(parent: number): number {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === parent);
  if (children.length !== 1) throw new Error(`process ${parent} has ${children.length} children`);
  return Number(children[0]);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
