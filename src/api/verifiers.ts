import { parseDuration } from './duration.ts';
import type { AuthorityTrust, ClusterAuthorityTrust, ClusterVerifier, ServerCA, Verifier } from './generated/types.ts';

/** What follows the handshake, and what it means. */
export type ProbeProtocol =
  | { readonly is: 'tls' }
  | {
      readonly is: 'http';
      readonly path: string;
      readonly acceptStatus: readonly number[];
      readonly rejectStatus: readonly number[];
    };

/** A Service whose endpoints are asked; without a namespace it is that of the authority. */
export interface ServiceReference {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly port: number;
}

/** A server that must trust the CA of an authority: one entry of spec.trust.verifiers. */
export interface TrustVerifier {
  readonly name: string;
  readonly targetName: string | undefined;
  readonly at: { readonly host: string; readonly port: number } | { readonly service: ServiceReference };
  readonly serverName: string | undefined;
  readonly serverCA: ServerCA | undefined;
  readonly protocol: ProbeProtocol;
  readonly intervalMs: number;
}

const NONE: readonly TrustVerifier[] = Object.freeze([]);
const DEFAULT_INTERVAL_MS = 60_000;

/** `spec.trust.verifiers` of either kind. One that was stored under another schema and names no server is left out. */
export function parseVerifiers(trust: AuthorityTrust | ClusterAuthorityTrust | undefined): readonly TrustVerifier[] {
  const verifiers: readonly (Verifier | ClusterVerifier)[] = trust?.verifiers ?? [];
  return verifiers.length === 0 ? NONE : verifiers.flatMap((each) => parseVerifier(each) ?? []);
}

function parseVerifier(verifier: Verifier | ClusterVerifier): TrustVerifier | undefined {
  const { name, targetName, serverName, serverCA, protocol, interval } = verifier;
  const at = placeOf(verifier);
  if (at === undefined) return undefined;
  return {
    name,
    targetName,
    at,
    serverName,
    serverCA,
    protocol: protocol.http === undefined ? { is: 'tls' } : { is: 'http', ...protocol.http },
    intervalMs: parseDuration(interval) ?? DEFAULT_INTERVAL_MS,
  };
}

function placeOf({ address, service }: Verifier | ClusterVerifier): TrustVerifier['at'] | undefined {
  if (service !== undefined) {
    const namespace = 'namespace' in service ? service.namespace : undefined;
    return { service: { name: service.name, namespace, port: service.port } };
  }
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address ?? '') ?? [];
  const host = bracketed ?? bare;
  return host === undefined ? undefined : { host, port: Number(port) };
}
