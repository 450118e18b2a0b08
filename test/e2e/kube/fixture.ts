import type { Test } from 'uvu';
import { SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { KubeconfigConnection } from '../../../src/kube/auth.ts';
import { Cache } from '../../../src/kube/cache/cache.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { Observation } from '../../../src/kube/transport.ts';
import { Watch } from '../../../src/kube/watch.ts';
import type { WatchTiming } from '../../../src/kube/watch-backoff.ts';
import type { Logger } from '../../../src/log.ts';
import { type ControlPlane, shareControlPlane } from '../../cluster/control-plane.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { applyCrds } from '../support/world.ts';
import { type FaultProxy, type Matcher, startFaultProxy } from './fault-proxy.ts';

/** Nothing of it is printed unless DEBUG is set. */
export const logger: Logger = {
  debug: () => {},
  info: note,
  warn: note,
  error: note,
};

function note(message: string, fields: object = {}): void {
  if (process.env.DEBUG) console.error(message, JSON.stringify(fields));
}

export interface Connected {
  client: KubeClient;
  observations: Observation[];
}

export function connect(kubeconfig: string, clock: Clock = systemClock): Connected {
  const observations: Observation[] = [];
  const connections = new KubeconfigConnection({ kubeconfig, clock, logger });
  const client = new KubeClient({ connections, clock, onRequest: (one) => observations.push(one) });
  onStop(() => client.close());
  return { client, observations };
}

/** A control plane, a proxy in front of it, and a client on either way. */
export interface Stand {
  readonly cluster: ControlPlane;
  readonly proxy: FaultProxy;
  /** Goes straight to the API server. */
  readonly direct: Connected;
  /** Goes through the proxy. */
  readonly proxied: Connected;
}

/** What a suite stands on: filled before its first test, gone after its last. `start` gives another control plane. */
export function standBehindProxy(test: Test, start = () => shareControlPlane([], applyCrds)): Stand {
  const stand = {} as Stand;
  const started = lazily(() => startStand(start));
  test.before.each(async () => void Object.assign(stand, await started.get()));
  test.after(stopAll);
  return stand;
}

async function startStand(start: () => Promise<ControlPlane>): Promise<Stand> {
  const cluster = await start();
  onStop(cluster.stop);
  const proxy = await startFaultProxy(cluster.kubeconfigPath);
  return { cluster, proxy, direct: connect(cluster.kubeconfigPath), proxied: connect(proxy.kubeconfigPath) };
}

/** Each test of a suite gets a namespace of its own, and ways to write Secrets there and to tell their requests. */
export function secretsOf(test: Test, stand: Stand) {
  const here = { namespace: '' };
  test.before.each(async () => {
    here.namespace = await newNamespace(stand.direct.client);
  });
  test.after.each(stopWatches);
  const isList: Matcher = ({ watch, query }) => !watch || query.has('sendInitialEvents');
  const watches: Matcher = (request) => !isList(request) && request.path.includes(`/${here.namespace}/`);
  const lists: Matcher = (request) =>
    isList(request) && request.method === 'GET' && request.path.endsWith(`/${here.namespace}/secrets`);
  const write = (name: string, text: string) => stand.direct.client.apply(SECRETS, secret(here.namespace, name, text));
  return { here, watches, lists, write };
}

/** Impatient, so that a test need not wait for what takes a minute in a cluster. */
export const IMPATIENT: Partial<WatchTiming> = {
  idleMs: 2_000,
  firstBackoffMs: 50,
  longestBackoffMs: 500,
  recoveredMs: 300,
};

export interface Watching {
  cache: Cache<string>;
  watch: Watch<string>;
  changes: [key: string, before: string | undefined, after: string | undefined][];
  stop(): Promise<void>;
}

const running = new Set<() => Promise<void>>();

/** Ends the watches that a failed test has left running, which would be in the way of the next test. */
async function stopWatches(): Promise<void> {
  await Promise.all([...running].map((stop) => stop()));
  running.clear();
}

/** Watches the Secrets of a namespace; what is kept of each is its annotation `note`. */
export async function watchSecrets(
  client: KubeClient,
  namespace: string,
  timing: Partial<WatchTiming> = {},
  clock: Clock = systemClock,
): Promise<Watching> {
  const cache = new Cache<string>({ reduce: noteOf });
  const changes: Watching['changes'] = [];
  cache.onChange((...change) => changes.push(change));
  const watch = new Watch(
    { client, clock, logger },
    { resource: SECRETS, namespace, cache, timing: { ...IMPATIENT, ...timing } },
  );
  const stopping = new AbortController();
  const ended = watch.run(stopping.signal);
  const stop = onStop(() => {
    stopping.abort();
    return ended;
  });
  running.add(stop);
  await watch.synced;
  return { cache, watch, changes, stop };
}

function noteOf(object: RawObject): string {
  return object.metadata?.annotations?.note ?? '';
}

export function secret(namespace: string, name: string, text: string, metadata: Record<string, unknown> = {}) {
  return { metadata: { namespace, name, annotations: { note: text }, ...metadata } };
}

/** Waits until it is so; says what it waited for when it never is. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${withinMs} ms: ${what}`);
    await pause(20);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

let namespaces = 0;

export async function newNamespace(client: KubeClient): Promise<string> {
  const name = `kube-${process.pid}-${++namespaces}`;
  await client.create(
    { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
    { metadata: { name } },
  );
  return name;
}
