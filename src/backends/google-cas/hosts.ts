import type { GoogleCASBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { isAllowedLoopback } from '../http/address.ts';

/** The base URLs of the three APIs that are called. */
export interface Hosts {
  readonly privateca: string;
  readonly sts: string;
  readonly iamcredentials: string;
  /** Whether all of them are Google's, so that an error about them tells nothing about other servers. */
  readonly areOfGoogle: boolean;
}

const OF_GOOGLE: Hosts = {
  privateca: 'https://privateca.googleapis.com',
  sts: 'https://sts.googleapis.com',
  iamcredentials: 'https://iamcredentials.googleapis.com',
  areOfGoogle: true,
};
/** A Private Service Connect endpoint: `<api>-<name of the endpoint>.p.googleapis.com`. */
const PRIVATE_ENDPOINT = /^privateca(-[a-z0-9-]+\.p\.googleapis\.com)$/;

/**
 * Where the APIs are. An access token opens all that its account may do, so the author of a namespaced authority can't
 * choose who gets it: only a ClusterCertificateAuthority may name a host that is not Google's, or this host where
 * operators allow that for tests. Such a host answers for all three APIs. Throws an AuthorityError.
 */
export function hostsOf(
  { endpoint }: Pick<GoogleCASBackend, 'endpoint'>,
  { clusterWide, addresses }: Pick<BackendDeps, 'clusterWide' | 'addresses'>,
): Hosts {
  if (endpoint === undefined) return OF_GOOGLE;
  const base = endpoint.replace(/\/+$/, '');
  const { hostname, pathname } = URL.canParse(base) ? new URL(base) : { hostname: '', pathname: '/' };
  if (pathname !== '/')
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `spec.googleCAS.endpoint is ${base}, which has a path; write the address alone: ${new URL(base).origin}`,
    );
  if (hostname.endsWith('.googleapis.com')) {
    const [, rest] = PRIVATE_ENDPOINT.exec(hostname) ?? [];
    return rest === undefined
      ? { ...OF_GOOGLE, privateca: base }
      : { ...OF_GOOGLE, privateca: base, sts: `https://sts${rest}`, iamcredentials: `https://iamcredentials${rest}` };
  }
  if (!clusterWide && !isAllowedLoopback(hostname, addresses))
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `spec.googleCAS.endpoint names ${hostname}, which is not below googleapis.com: the access token would be sent there; only a ClusterCertificateAuthority may name such a host`,
    );
  return { privateca: base, sts: base, iamcredentials: base, areOfGoogle: false };
}
