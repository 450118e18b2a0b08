import { type AnyCertificateAuthority, isBrokenAuthority } from '../api/certificate-authority.ts';
import type { Config } from '../config.ts';

/**
 * An authority that the configuration keeps the controller from serving is refused before anything is started for it, so
 * that no server is connected to and no right is used in vain.
 */
export function refuseUnserved(
  authority: AnyCertificateAuthority,
  { authorities, namespaces }: Pick<Config, 'authorities' | 'namespaces'>,
): AnyCertificateAuthority {
  if (isBrokenAuthority(authority)) return authority;
  const { type, allowedNamespaces } = authority;
  if (authorities !== undefined && !authorities.includes(type))
    return {
      ...authority,
      code: 'BackendDisabled',
      problem: `authorities of the kind ${type} are switched off: add ${type} to --authorities of the controller (controller.authorities of the chart), or use another kind`,
    };
  if (namespaces !== undefined && allowedNamespaces?.selector !== undefined)
    return {
      ...authority,
      code: 'ClusterAuthorityNotServed',
      problem:
        'spec.allowedNamespaces.selector needs the labels of namespaces, which a controller of single namespaces (--namespaces) may not read: list names instead, or set all: true',
    };
  return authority;
}
