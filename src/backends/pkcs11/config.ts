import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { type TokenMatch, tokenText } from './uri.ts';

/** What the operator decides about HSMs, by flags. */
export interface HsmRules {
  /** Folder of pkcs11js; undefined in an image without PKCS#11 support. */
  readonly addon: string | undefined;
  /** The PKCS#11 library of the HSM's vendor. */
  readonly library: string | undefined;
  /** The folder that `pinFile` is below. */
  readonly pinFolder: string | undefined;
  /** The tokens that CertificateAuthorities may use, by namespace. A ClusterCertificateAuthority may use any. */
  readonly tenantTokens: readonly TenantToken[];
  /** So many authorities may have a signer process at once. */
  readonly mostProcesses: number;
}

export interface TenantToken {
  /** `*` for all. */
  readonly namespace: string;
  /** Label of the token. */
  readonly token: string;
}

/** The programs that sign. Throws an AuthorityError where the operator has given none. */
export function programsOf({ addon, library }: HsmRules): { readonly addon: string; readonly library: string } {
  if (addon === undefined)
    throw new AuthorityError(
      'BackendDisabled',
      'this image has no PKCS#11 support; install Certwheel with the image certwheel-pkcs11',
    );
  if (library === undefined)
    throw new AuthorityError(
      'BackendDisabled',
      "no PKCS#11 library is given; start Certwheel with --pkcs11-module and the path of the HSM vendor's library",
    );
  return { addon, library };
}

/**
 * Whoever may try a PIN can lock the token, by wrong PINs. So a CertificateAuthority, whose author is a tenant, has the
 * tokens that the operator gave to its namespace. Throws an AuthorityError.
 */
export function refuseForeignToken(
  wanted: TokenMatch,
  { hsm: { tenantTokens }, clusterWide, objects: { namespace } }: Pick<BackendDeps, 'hsm' | 'clusterWide' | 'objects'>,
): void {
  if (clusterWide) return;
  const isTheirs = (each: TenantToken) => each.namespace === namespace || each.namespace === '*';
  if (tenantTokens.some((each) => isTheirs(each) && each.token === wanted.token)) return;
  throw new AuthorityError(
    'BackendForbidden',
    `namespace ${namespace} may not use the token (${tokenText(wanted)}): the operator allows it with --pkcs11-tenant-tokens ${namespace}/${wanted.token ?? 'LABEL'}, and spec.pkcs11.uri must name the token by its label`,
  );
}
