import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_CERTIFICATES, CLUSTER_CERTIFICATE_AUTHORITIES, NAMESPACES } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { type AuditTail, between, describeRequests, type Requests, readsIn, writesIn } from '../audit-tail.ts';
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

const USERS = ['bench-controller', 'bench-standby'] as const;

export async function startKnown(
  { world }: Fleet,
  user: (typeof USERS)[number],
  args: readonly string[] = [],
): Promise<Known> {
  const kubeconfig = await world.cluster.kubeconfigFor(user, ['system:masters']);
  const elect = ['--leader-elect', '--leader-elect-namespace', CONTROLLER_NAMESPACE];
  const metrics = ['--metrics-bind-address', '127.0.0.1:0'];
  return { user, controller: await world.controller(['--kubeconfig', kubeconfig, ...elect, ...metrics, ...args]) };
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

export function createCertificate({ client }: BenchWorld, namespace: string, name: string): Promise<RawObject> {
  return client.create(CLIENT_CERTIFICATES, {
    metadata: { namespace, name },
    spec: {
      authorityRef: { kind: 'ClusterCertificateAuthority', name: AUTHORITY },
      secretName: `${name}-tls`,
      commonName: name,
      uris: [`spiffe://example.com/ns/${namespace}/sa/${name}`],
    },
  });
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
