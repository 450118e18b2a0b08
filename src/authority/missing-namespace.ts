import { type AnyCertificateAuthority, isBrokenAuthority } from '../api/certificate-authority.ts';
import type { CertwheelError } from '../errors.ts';
import type { Outcome } from '../queue/controller.ts';
import type { AuthorityDeps } from './deps.ts';
import { reportBroken } from './report.ts';

const NO_NAMESPACE = /^namespaces "([^"]{1,63})" not found$/;
/** How often the namespace is looked for. */
const LOOK_MS = 5_000;

/**
 * Reports a ClusterCertificateAuthority whose Secrets have no place, because the controller's namespace doesn't exist.
 * Undefined for any other error: a CertificateAuthority without its namespace is being deleted.
 */
export async function reportMissingNamespace(
  resource: AnyCertificateAuthority | undefined,
  { message }: Pick<CertwheelError, 'message'>,
  deps: AuthorityDeps,
): Promise<Outcome | undefined> {
  const [, namespace] = NO_NAMESPACE.exec(message) ?? [];
  if (namespace === undefined || resource?.kind !== 'ClusterCertificateAuthority' || isBrokenAuthority(resource))
    return undefined;
  const problem = `the namespace ${namespace}, which holds the Secrets of ClusterCertificateAuthorities, does not exist; create it with: kubectl create namespace ${namespace} (or give the controller another by --controller-namespace)`;
  await reportBroken({ ...resource, code: 'AuthorityMisconfigured', problem }, deps);
  return { do: 'retry', at: new Date(deps.clock.now().getTime() + LOOK_MS) };
}
