import { setTimeout as sleep } from 'node:timers/promises';
import { onStop } from '../../../teardown.ts';
import { type History, type SecretState, watchSecrets } from '../../authority/history.ts';
import { eventually } from '../../support/eventually.ts';
import type { World } from '../../support/world.ts';

/** What a client shows at the moment. */
export interface Held {
  readonly certificate: string;
  readonly key: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** Subject of the CA that signed it. */
  readonly issuer: string;
  readonly notAfter: Date;
  /** When it was loaded (performance.now), and when the Secret was seen to hold it. */
  readonly loadedMs: number;
  readonly seenMs: number;
}

/** A workload that reads the Secret of its ClientCertificate. */
export interface Client {
  /** `namespace/name` of the Secret. */
  readonly key: string;
  readonly commonName: string;
  held(): Held;
}

export interface Clients {
  readonly all: readonly Client[];
  readonly histories: readonly History[];
}

export interface Member {
  readonly namespace: string;
  readonly name: string;
}

const POLL_MS = 20;

/** Loads the Secrets of the members now, and each change of one `lagMs()` after the API server has told of it. */
export async function mountClients(world: World, members: readonly Member[], lagMs: () => number): Promise<Clients> {
  const histories = new Map<string, History>();
  for (const { namespace } of members)
    if (!histories.has(namespace))
      histories.set(namespace, await watchSecrets(world, namespace, ({ subject }) => subject));
  const mounts = new Map<string, Held>();
  const stopping = new AbortController();
  const follow = async (namespace: string, { states }: History) => {
    // Changes in their order: a client never goes back to a former certificate.
    const waiting: { readonly atMs: number; readonly load: () => void }[] = [];
    for (let next = 0; !stopping.signal.aborted; await sleep(POLL_MS)) {
      for (; next < states.length; next++) {
        const state = states[next] as SecretState;
        const key = `${namespace}/${state.name}`;
        const seenMs = performance.now();
        const load = () => void mounts.set(key, heldOf(state, seenMs));
        if (mounts.has(key)) waiting.push({ atMs: seenMs + lagMs(), load });
        else load();
      }
      for (let first = waiting[0]; first !== undefined && first.atMs <= performance.now(); first = waiting[0]) {
        first.load();
        waiting.shift();
      }
    }
  };
  const running = [...histories].map(([namespace, history]) => follow(namespace, history));
  onStop(async () => {
    stopping.abort();
    await Promise.all(running);
  });
  const clients = members.map(({ namespace, name }): Client => {
    const key = `${namespace}/${name}-tls`;
    return { key, commonName: name, held: () => mounts.get(key) as Held };
  });
  await eventually('each client has its certificate', () => clients.every(({ key }) => mounts.has(key)));
  return { all: clients, histories: [...histories.values()] };
}

function heldOf({ secret, issuer }: SecretState, seenMs: number): Held {
  const { leaf, chain, key } = secret;
  return {
    certificate: chain,
    key,
    serial: leaf.serialNumber.toLowerCase(),
    issuer,
    notAfter: leaf.validToDate,
    loadedMs: performance.now(),
    seenMs,
  };
}
