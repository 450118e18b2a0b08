import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { Runtime } from '../authority/runtime.ts';
import { sourceOf } from '../rotation/generation.ts';

/** How the certificates of an authority are revoked: by a request to it, or by a CRL that Certwheel signs; or not at all. */
export type Ability = { readonly by: 'request' | 'crl' } | { readonly by: 'nothing'; readonly because: string };

export function abilityOf({ type }: Pick<CertificateAuthority, 'type'>, runtime: Runtime): Ability {
  if (runtime.backend.revoke !== undefined) return { by: 'request' };
  if (sourceOf(runtime) !== undefined) return { by: 'crl' };
  return {
    by: 'nothing',
    because: `an authority of type ${type} revokes nothing: let its certificates expire, with a short spec.duration, or revoke them at the CA itself`,
  };
}
