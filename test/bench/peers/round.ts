import { setTimeout as sleep } from 'node:timers/promises';
import { NAMESPACES, type Resource, SECRETS } from '../../../src/api/names.ts';
import type { Writable } from '../../../src/kube/object.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { AuditTail, between, type Requests } from '../audit-tail.ts';
import type { BenchWorld } from '../bench-world.ts';
import { cpuMsOf } from '../machine/watch.ts';
import { inLanes, pidIn, residentBytes } from '../processes.ts';
import { names } from '../rate.ts';
import { isReady } from '../ready.ts';
import type { Peer } from './peer.ts';

const AT_ONCE = 32;
/** Until caches are filled and the authority is ready; and until events and late writes are through. */
const SETTLE_MS = 5_000;

export interface Round {
  readonly peer: string;
  readonly seconds: number;
  /** Of the controller, for all certificates. */
  readonly requests: Requests;
  readonly controllerCpuMs: number;
  readonly apiServerCpuMs: number;
  readonly memoryMb: number;
}

/** So many certificates are created at once in a new namespace, until all are Ready. Leaves nothing behind that would be watched. */
export async function measureRound(world: BenchWorld, peer: Peer, namespace: string, count: number): Promise<Round> {
  const { client, cluster } = world;
  await client.create(NAMESPACES, { metadata: { name: namespace } });
  await putPair(world, namespace);
  await peer.prepare(namespace);
  const running = await peer.start();
  try {
    await sleep(SETTLE_MS);
    const apiServer = pidIn(cluster, 'kube-apiserver');
    const cpu = () => [cpuMsOf(running.pid), cpuMsOf(apiServer)] as const;
    const audit = new AuditTail(cluster);
    const requestsBefore = await audit.requests(peer.user);
    const [controllerBefore, apiServerBefore] = cpu();
    const seconds = await createAll(world, peer, namespace, count);
    await sleep(SETTLE_MS);
    const [controllerAfter, apiServerAfter] = cpu();
    return {
      peer: peer.name,
      seconds,
      requests: between(requestsBefore, await audit.requests(peer.user)),
      controllerCpuMs: controllerAfter - controllerBefore,
      apiServerCpuMs: apiServerAfter - apiServerBefore,
      memoryMb: residentBytes(running.pid) / 1e6,
    };
  } finally {
    await running.stop();
    for (const plural of peer.leaves)
      await cluster.kubectl(['delete', plural, '--all', '--wait=false', '-n', namespace]);
  }
}

/** Seconds from the first request to the event that shows the last of them Ready. */
async function createAll({ client }: BenchWorld, peer: Peer, namespace: string, count: number): Promise<number> {
  const startedMs = performance.now();
  const [readyMs] = await Promise.all([
    untilReady(client, peer.certificates, namespace, count),
    inLanes(names('c', count), AT_ONCE, (name) =>
      client.create(peer.certificates, peer.certificate(namespace, name) as Writable),
    ),
  ]);
  return (readyMs - startedMs) / 1_000;
}

async function untilReady(
  client: BenchWorld['client'],
  resource: Resource,
  namespace: string,
  count: number,
): Promise<number> {
  const ready = new Set<string>();
  const see = (object: unknown) => {
    if (isReady(object)) ready.add((object as { metadata: { name: string } }).metadata.name);
    return ready.size === count;
  };
  for (;;) {
    const { items, metadata } = await client.list(resource, { namespace });
    if (items.filter(see).length === count) return performance.now();
    const { resourceVersion } = metadata;
    const watch = await client.watch(resource, { namespace, resourceVersion, timeoutSeconds: 600, idleMs: 600_000 });
    for await (const { object } of watch) if (see(object)) return performance.now();
    // The API server ends the watch of a reader that is too slow for it.
  }
}

async function putPair({ client }: BenchWorld, namespace: string): Promise<void> {
  const { certificatePem, keyPem } = createIssuer('Bench');
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  await client.create(SECRETS, {
    metadata: { namespace, name: 'ca-pair' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificatePem), 'tls.key': base64(keyPem) },
  });
}
