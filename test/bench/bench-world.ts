import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, NAMESPACES } from '../../src/api/names.ts';
import { systemClock } from '../../src/clock.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { bundle } from '../../tools/bundle.ts';
import { ENVIRONMENT, NODE_FLAGS } from '../../tools/runtime.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { untilKnown } from '../e2e/crds/api.ts';
import { inLanes, residentBytes } from './processes.ts';
import type { Answer, FloorRound, Question, State } from './protocol.ts';

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const CREATING_AT_ONCE = 16;
/** Characters of the end of a log, for the error when the process has ended. */
const LOG_KEPT = 2_000;

/** The controller that is measured, in a process of its own. */
export interface MeasuredController {
  readonly pid: number;
  /** From launch to the first log line, and to caches that are filled. */
  readonly firstLineMs: number;
  readonly syncedMs: number;
  state(): Promise<State>;
  advance(ms: number): void;
  /** Measures delays of the event loop from now on. */
  timeLoop(): void;
  stop(): Promise<void>;
  /** As the kernel does: nothing is given back. */
  kill(): Promise<void>;
}

export interface Floor {
  round(): Promise<FloorRound>;
  stop(): Promise<void>;
}

export interface BenchWorld {
  readonly cluster: ControlPlane;
  readonly client: KubeClient;
  controller(args?: readonly string[]): Promise<MeasuredController>;
  floor(namespace: string, concurrency: number): Promise<Floor>;
  /** A namespace with a self-managed authority `ca`. */
  namespace(name: string): Promise<void>;
  create(namespace: string, names: readonly string[], spec?: Record<string, unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** How far the controllers' clock has been set forward; the next one goes on from there. */
interface BenchClock {
  aheadMs: number;
}

export async function startBenchWorld(): Promise<BenchWorld> {
  const cluster = await startControlPlane();
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-bench-'));
  await cluster.kubectl(['apply', '--server-side', '-f', `${import.meta.dirname}/../../crds`]);
  await untilKnown(cluster);
  const clock: BenchClock = { aheadMs: 0 };
  const controllerFile = join(folder, 'controller.mjs');
  const floorFile = join(folder, 'floor.mjs');
  await bundle(`${import.meta.dirname}/controller.ts`, controllerFile);
  await bundle(`${import.meta.dirname}/floor.ts`, floorFile);
  const client = new KubeClient({
    connections: new KubeconfigConnection({ kubeconfig: cluster.kubeconfigPath, clock: systemClock, logger: QUIET }),
    clock: systemClock,
  });
  return {
    cluster,
    client,
    controller: (args = []) => launch(controllerFile, ['--kubeconfig', cluster.kubeconfigPath, ...args], clock),
    floor: (namespace, concurrency) => launchFloor(floorFile, [cluster.kubeconfigPath, namespace, String(concurrency)]),
    namespace: async (name) => {
      await client.create(NAMESPACES, { metadata: { name } });
      await client.create(CERTIFICATE_AUTHORITIES, {
        metadata: { namespace: name, name: 'ca' },
        spec: { selfManaged: { commonName: 'Bench' } },
      });
    },
    create: (namespace, names, spec) => createAll(client, namespace, names, spec),
    stop: async () => {
      await client.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(file: string, args: readonly string[], clock: BenchClock): Promise<MeasuredController> {
  const startedMs = performance.now();
  const standard = [
    '--metrics-bind-address',
    '0',
    '--health-probe-bind-address',
    '127.0.0.1:0',
    '--log-format',
    'json',
  ];
  const child = fork(file, [...standard, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [...NODE_FLAGS],
    env: { ...process.env, ...ENVIRONMENT, BENCH_AHEAD_MS: String(clock.aheadMs) },
  });
  const firstLineMs = once(child.stderr as NodeJS.ReadableStream, 'data').then(() => performance.now() - startedMs);
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_KEPT);
  });
  const { ask, answer, end, exited } = talkTo(child, () => log);
  await answer(({ ready }) => ready);
  const syncedMs = performance.now() - startedMs;
  const pid = child.pid ?? 0;
  return {
    pid,
    firstLineMs: await firstLineMs,
    syncedMs,
    state: async () => {
      ask({ ask: 'state' });
      return { ...(await answer(({ state }) => state)), rssBytes: residentBytes(pid) };
    },
    advance: (ms) => {
      clock.aheadMs += ms;
      ask({ ask: 'advance', ms });
    },
    timeLoop: () => ask({ ask: 'timeLoop' }),
    stop: end,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function launchFloor(file: string, args: readonly string[]): Promise<Floor> {
  const { ask, answer, end } = talkTo(fork(file, args));
  await answer(({ ready }) => ready);
  return {
    round: async () => {
      ask({ ask: 'round' });
      return answer(({ round }) => round);
    },
    stop: end,
  };
}

/** Questions and answers over IPC; a process that ends unasked fails whoever waits for an answer. */
function talkTo(child: ChildProcess, log = () => '') {
  const exited = once(child, 'exit');
  const ask = (question: Question) => void child.send(question);
  const answer = async <T>(pick: (answer: Answer) => T | undefined): Promise<T> => {
    for (;;) {
      const message = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
      if (message === undefined) throw new Error(`a process that is measured has ended by itself\n${log()}`);
      const picked = pick(message[0] as Answer);
      if (picked !== undefined) return picked;
    }
  };
  const end = async () => {
    ask({ ask: 'stop' });
    await exited;
  };
  return { ask, answer, end, exited };
}

async function createAll(
  client: KubeClient,
  namespace: string,
  names: readonly string[],
  spec: Record<string, unknown> = {},
): Promise<void> {
  await inLanes(names, CREATING_AT_ONCE, (name) => {
    const identity = { commonName: name, uris: [`spiffe://example.com/ns/${namespace}/sa/${name}`] };
    return client.create(CLIENT_CERTIFICATES, {
      metadata: { namespace, name },
      spec: { authorityRef: { name: 'ca' }, secretName: `${name}-tls`, ...identity, ...spec },
    });
  });
}
