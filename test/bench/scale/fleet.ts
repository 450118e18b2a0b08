import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_CERTIFICATES, CLUSTER_CERTIFICATE_AUTHORITIES, NAMESPACES } from '../../../src/api/names.ts';
import { ApiError } from '../../../src/errors.ts';
import {
  type AuditTail,
  between,
  describeRequests,
  type Requests,
  readsIn,
  watchesIn,
  writesIn,
} from '../audit-tail.ts';
import type { BenchWorld, MeasuredController } from '../bench-world.ts';
import { inLanes, pidIn, residentBytes } from '../processes.ts';
import type { State } from '../protocol.ts';
import { names } from '../rate.ts';
import type { ScaleOptions } from './options.ts';
import type { Rows } from './rows.ts';

export const AUTHORITY = 'fleet';
const CONTROLLER_NAMESPACE = 'certwheel-system';
/** As many as the client opens connections. */
const LANES = 32;
const POLL_MS = 2_000;
const ATTEMPTS = 5;
/** Below this share of one processor nothing is going on any more, for so many polls in a row. */
const REST_SHARE = 0.03;
const REST_POLLS = 5;
/** After that: until the garbage of the work has been given back. */
const SETTLE_MS = 13_000;

/** All that the phases share. */
export interface Fleet {
  readonly options: ScaleOptions;
  readonly world: BenchWorld;
  readonly rows: Rows;
  readonly audit: AuditTail;
}

/** A controller that the API server knows by a name of its own. */
export interface Known {
  readonly user: string;
  readonly controller: MeasuredController;
}

type User = 'bench-controller' | 'bench-standby';

export async function startKnown({ world }: Fleet, user: User, args: readonly string[] = []): Promise<Known> {
  const kubeconfig = await world.cluster.kubeconfigFor(user, ['system:masters']);
  const metrics = ['--metrics-bind-address', '127.0.0.1:0'];
  return { user, controller: await world.controller(['--kubeconfig', kubeconfig, ...metrics, ...args]) };
}

/** One of several replicas. The phases of hours run a single one: a Lease that is lost on a busy machine would end them. */
export function startReplica(fleet: Fleet, user: User): Promise<Known> {
  return startKnown(fleet, user, ['--leader-elect', '--leader-elect-namespace', CONTROLLER_NAMESPACE]);
}

/** The authority, whose CA rotations wait for nothing, and the namespaces. */
export async function prepareFleet({ world: { client }, options }: Fleet): Promise<void> {
  await client.create(NAMESPACES, { metadata: { name: CONTROLLER_NAMESPACE } });
  const caRotation = { soak: '0s', propagation: '0s', retireAfter: '0s', reissue: { requests: 1_000, per: '1s' } };
  await client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: AUTHORITY },
    spec: { selfManaged: { commonName: 'Bench' }, allowedNamespaces: { all: true }, caRotation },
  });
  await inLanes(namespacesOf(options), LANES, (name) => client.create(NAMESPACES, { metadata: { name } }));
}

export function namespacesOf({ namespaces }: ScaleOptions): string[] {
  return names('team', namespaces);
}

export async function createCertificates({ world, options }: Fleet): Promise<void> {
  const namespaces = namespacesOf(options);
  await inLanes(names('c', options.certificates).entries(), LANES, ([index, name]) =>
    createCertificate(world, namespaces[index % namespaces.length] ?? '', name),
  );
}

export async function createCertificate({ client }: BenchWorld, namespace: string, name: string): Promise<void> {
  const certificate = {
    metadata: { namespace, name },
    spec: {
      authorityRef: { kind: 'ClusterCertificateAuthority', name: AUTHORITY },
      secretName: `${name}-tls`,
      commonName: name,
      uris: [`spiffe://example.com/ns/${namespace}/sa/${name}`],
    },
  };
  await persistently(async () => {
    try {
      await client.create(CLIENT_CERTIFICATES, certificate);
    } catch (error) {
      // An attempt whose answer was lost has made it.
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
  });
}

/** Makes a request again that failed, a few times: one answer that is late must not end a run of hours. */
export async function persistently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(POLL_MS);
    }
  }
}

export interface Moment {
  readonly atMs: number;
  readonly requests: Requests;
  readonly state: State;
}

/** A reading, to which a later one is compared. */
export async function moment({ audit }: Fleet, { user, controller }: Known): Promise<Moment> {
  const state = await controller.state();
  return { atMs: performance.now(), requests: await audit.requests(user), state };
}

/** Requests and bytes since then, as rows; without `before`, since the controller was started by a user new to the API server. */
export function addTraffic(
  { rows }: Fleet,
  what: string,
  after: Moment,
  before: { readonly requests: Requests; readonly bytesReceived: number } = { requests: {}, bytesReceived: 0 },
): void {
  const requests = between(before.requests, after.requests);
  rows.add(`${what}: reads`, readsIn(requests));
  rows.add(`${what}: opened watches`, watchesIn(requests));
  rows.add(`${what}: writes`, writesIn(requests));
  rows.add(`${what}: received from the API server`, (after.state.bytesReceived - before.bytesReceived) / 1e6, 'MB');
  rows.note(`requests: ${what}`, describeRequests(requests));
}

/** Waits until the controller has nothing to do and has given its garbage back; answers when the work ended. */
export async function untilAtRest(controller: MeasuredController): Promise<number> {
  let quiet = 0;
  let endedMs = performance.now();
  for (let last = (await controller.state()).cpuMs; quiet < REST_POLLS; ) {
    await sleep(POLL_MS);
    const { cpuMs } = await controller.state();
    if (cpuMs - last < REST_SHARE * POLL_MS) quiet += 1;
    else {
      quiet = 0;
      endedMs = performance.now();
    }
    last = cpuMs;
  }
  await sleep(SETTLE_MS);
  return endedMs;
}

/** Memory of the controller and of the control plane, and the size of etcd's file. */
export async function addSizes({ rows, world: { cluster } }: Fleet, controller: MeasuredController): Promise<void> {
  rows.add('resident memory', (await controller.state()).rssBytes / 1e6, 'MB');
  for (const program of ['kube-apiserver', 'etcd'] as const)
    rows.add(`resident memory of ${program}`, residentBytes(pidIn(cluster, program)) / 1e6, 'MB');
  rows.add('file of etcd', statSync(join(cluster.dir, 'etcd/member/snap/db')).size / 1e6, 'MB');
}
