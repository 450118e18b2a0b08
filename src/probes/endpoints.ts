import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { ENDPOINT_SLICES, PODS, type Resource, SERVICES } from '../api/names.ts';
import { keyOf } from '../api/parse.ts';
import type { ServiceReference, TrustVerifier } from '../api/verifiers.ts';
import { type AddressRules, addressProblem, guardedLookup } from '../backends/http/address.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ProbeConfig } from '../probe-flags.ts';
import { messageOf } from '../thrown.ts';
import { probeRules } from './addresses.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where a verifier is, or why nothing of it may be or can be asked. */
export type Found =
  | { readonly endpoints: readonly Endpoint[]; readonly serverName: string }
  | { readonly problem: string };

export interface EndpointDeps {
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  readonly config: ProbeConfig;
  /** For tests; by default that of the system. */
  readonly lookup?: ((rules: AddressRules, lane: string) => LookupFunction) | undefined;
}

/** More would take longer than a round may. */
const MOST_ENDPOINTS = 100;
/** Phases of Pods without a network of their own any more. */
const ENDED: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

interface Slice {
  readonly addressType?: string;
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
  readonly endpoints?: readonly SliceEndpoint[];
}

interface SliceEndpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: { readonly ready?: boolean };
  readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

interface Service {
  readonly spec?: {
    readonly type?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
  };
}

interface Pod {
  readonly spec?: { readonly hostNetwork?: boolean };
  readonly status?: { readonly phase?: string; readonly podIPs?: readonly { readonly ip: string }[] };
}

/** The addresses of a verifier at this moment: names are resolved once, and what is found here is what is connected to. */
export async function findEndpoints(
  resource: CertificateAuthority,
  { at, serverName }: Pick<TrustVerifier, 'at' | 'serverName'>,
  deps: EndpointDeps,
): Promise<Found> {
  if (!('service' in at)) {
    const rules = probeRules(resource.kind, 'address', deps.config);
    const found = await resolve(at, rules, `${resource.namespace} probes`, deps);
    return within(found, rules, serverName ?? at.host);
  }
  const namespace = resource.kind === 'CertificateAuthority' ? resource.namespace : (at.service.namespace ?? '');
  const rules = probeRules(resource.kind, 'service', deps.config);
  const found = await endpointsOf(namespace, at.service, resource.kind === 'CertificateAuthority', deps);
  return within(found, rules, serverName ?? `${at.service.name}.${namespace}.svc`);
}

type Addresses = readonly Endpoint[] | string;

function within(found: Addresses, rules: AddressRules, serverName: string): Found {
  if (typeof found === 'string') return { problem: found };
  const endpoints = [...new Map(found.map((each) => [endpointText(each), each])).entries()]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, each]) => each);
  if (endpoints.length > MOST_ENDPOINTS)
    return { problem: `it has ${endpoints.length} endpoints; at most ${MOST_ENDPOINTS} are asked` };
  // One that is refused spoils them all, as with names: it is either an attack or a mistake.
  const problem = endpoints.map(({ address }) => addressProblem(address, rules)).find((each) => each !== undefined);
  return problem === undefined ? { endpoints, serverName } : { problem: `it may not be asked: ${problem}` };
}

export function endpointText({ address, port }: Endpoint): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

async function resolve(
  { host, port }: { readonly host: string; readonly port: number },
  rules: AddressRules,
  lane: string,
  { lookup = guardedLookup }: EndpointDeps,
): Promise<Addresses> {
  if (isIP(host) !== 0) return [{ address: host, port }];
  const all = promisify<string, { all: true }, readonly { readonly address: string }[]>(lookup(rules, lane) as never);
  try {
    return (await all(host, { all: true })).map(({ address }) => ({ address, port }));
  } catch (thrown) {
    const { code } = thrown as { readonly code?: string };
    if (code === 'ADDRESS_REFUSED') return `it may not be asked: ${host} is ${messageOf(thrown)}`;
    return `the name ${host} can't be resolved (${code ?? 'no answer'})`;
  }
}

async function endpointsOf(
  namespace: string,
  { name, port }: ServiceReference,
  mustBePods: boolean,
  { client }: EndpointDeps,
): Promise<Addresses> {
  const what = `Service ${keyOf({ namespace, name })}`;
  try {
    const service = await client.get<Service>(SERVICES, namespace, name);
    if (service === undefined) return `${what} does not exist`;
    if (service.spec?.type === 'ExternalName')
      return `${what} is an ExternalName, which has no endpoints; name its host in address`;
    const ports = service.spec?.ports ?? [];
    const servicePort = ports.find((each) => each.port === port && (each.protocol ?? 'TCP') === 'TCP');
    if (servicePort === undefined)
      return `${what} has no TCP port ${port}; it has ${ports.map((each) => each.port).join(', ') || 'none'}`;
    const labelSelector = `kubernetes.io/service-name=${name}`;
    const { items } = await client.list<Slice>(ENDPOINT_SLICES, { namespace, labelSelector });
    const ready = items.flatMap((slice) => readyIn(slice, servicePort.name ?? ''));
    if (ready.length === 0) return `${what} has no ready endpoint`;
    if (ready.length > MOST_ENDPOINTS)
      return `${what} has ${ready.length} endpoints; at most ${MOST_ENDPOINTS} are asked`;
    if (mustBePods)
      for (const each of ready) {
        const problem = await notThePod(each, namespace, client);
        if (problem !== undefined) return `it may not be asked: endpoint ${each.address} of ${what} ${problem}`;
      }
    return ready;
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 403)
      return `Certwheel may not read what belongs to ${what}: ${thrown.message}; set probes.enabled in the chart`;
    throw thrown;
  }
}

interface Ready extends Endpoint {
  readonly targetRef: SliceEndpoint['targetRef'];
}

function readyIn({ addressType, ports = [], endpoints = [] }: Slice, portName: string): Ready[] {
  const port = ports.find(({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP')?.port;
  if (port === undefined || addressType === 'FQDN') return [];
  return endpoints
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses = [], targetRef }) => addresses.slice(0, 1).map((address) => ({ address, port, targetRef })));
}

/**
 * Why an endpoint isn't the Pod that it claims to be. Who may write EndpointSlices may point one at any address; the
 * addresses of a Pod are written by its kubelet. A Pod in the network of its node has the node's address. One that has ended
 * keeps in its status the addresses that it had, and they may be those of another namespace's Pod by now.
 */
async function notThePod(
  { address, targetRef }: Ready,
  namespace: string,
  client: EndpointDeps['client'],
): Promise<string | undefined> {
  const isPod = targetRef?.kind === 'Pod' && (targetRef.namespace ?? namespace) === namespace;
  const pod = isPod ? await client.get<Pod>(PODS as Resource, namespace, targetRef.name ?? '') : undefined;
  if (pod === undefined) return `is no Pod of namespace ${namespace}`;
  if (pod.spec?.hostNetwork === true) return 'is a Pod in the network of its node';
  const { phase = '' } = pod.status ?? {};
  if (ENDED.has(phase)) return `is Pod ${namespace}/${targetRef?.name}, which has ended (${phase})`;
  const isItsAddress = pod.status?.podIPs?.some(({ ip }) => ip === address) === true;
  return isItsAddress ? undefined : `is not the address of Pod ${namespace}/${targetRef?.name}`;
}
