import type { GoogleCASBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { AuthorityHttp, withinLimit } from '../http/client.ts';
import { concealErrors } from '../http/conceal-errors.ts';
import { connectionOf } from '../http/connection.ts';
import { GoogleClient } from './client.ts';
import { type Hosts, hostsOf } from './hosts.ts';
import { byKeyFile } from './key-file.ts';
import { byMetadata, type Environment } from './metadata.ts';
import { CaPool } from './pool.ts';
import { type Login, Tokens } from './tokens.ts';
import { byWorkloadIdentity } from './workload-identity.ts';

/** Throws an AuthorityError where the spec asks for what its author may not have. */
export function backendOf(spec: GoogleCASBackend, deps: BackendDeps, environment: Environment): Backend {
  const hosts = hostsOf(spec, deps);
  const tokens = new Tokens(loginOf(spec, hosts, deps, environment), deps.clock);
  const pool = new CaPool(spec, new GoogleClient(httpOf(hosts.privateca, spec, deps), tokens, deps.clock), deps);
  const backend: Backend = {
    verified: () => pool.verified,
    check: (signal) => withinLimit(signal, (all) => pool.check(all)),
    trust: (signal) => withinLimit(signal, (all) => pool.trust(all)),
    issue: (request, signal) => withinLimit(signal, (all) => pool.issue(request, all)),
    revoke: (revocation, reason, signal) => withinLimit(signal, (all) => pool.revoke(revocation, reason, all)),
  };
  // Whether Google can be reached says nothing about servers of the cluster.
  return hosts.areOfGoogle ? backend : concealErrors(backend, hosts.privateca, 'Google CA Service', deps);
}

function httpOf(server: string, spec: GoogleCASBackend, deps: BackendDeps) {
  return new AuthorityHttp({ ...connectionOf(spec, deps), server, field: 'endpoint' });
}

/** The way in that the spec names; exactly one, as the schema sees to. */
function loginOf(spec: GoogleCASBackend, hosts: Hosts, deps: BackendDeps, environment: Environment): Login {
  const { secretRef, workloadIdentity, ambient } = spec.auth;
  if (secretRef !== undefined) return byKeyFile(secretRef, deps);
  if (workloadIdentity !== undefined) {
    const apis = { sts: httpOf(hosts.sts, spec, deps), iamcredentials: httpOf(hosts.iamcredentials, spec, deps) };
    return byWorkloadIdentity(workloadIdentity, apis, deps);
  }
  if (ambient === undefined) throw new AuthorityError('AuthorityMisconfigured', 'spec.googleCAS.auth names no login');
  // A namespaced authority would use the identity that an administrator gave to the controller.
  if (!deps.clusterWide)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      "auth.ambient is the identity of the controller's pod, which only a ClusterCertificateAuthority may use; use auth.workloadIdentity with a ServiceAccount of this namespace",
    );
  return byMetadata(environment);
}
