import {
  type AnyCertificateAuthority,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { Config } from '../config.ts';
import { ruleByLabels, rulesProblem } from '../policy/rules.ts';

/**
 * An authority whose rules can't be read, or that the configuration keeps the controller from serving, is refused before
 * anything is started for it, so that no server is connected to and no right is used in vain.
 */
export function refuseUnserved(
  authority: AnyCertificateAuthority,
  { authorities, namespaces }: Pick<Config, 'authorities' | 'namespaces'>,
): AnyCertificateAuthority {
  if (isBrokenAuthority(authority)) return authority;
  const { type } = authority;
  if (authorities !== undefined && !authorities.includes(type))
    return {
      ...authority,
      code: 'BackendDisabled',
      problem: `authorities of the kind ${type} are switched off: add ${type} to --authorities of the controller (controller.authorities of the chart), or use another kind`,
    };
  const unreadable = rulesProblem(authority);
  // Without the rules: they may be large.
  if (unreadable !== undefined) return { ...authority, issuancePolicy: [], problem: unreadable };
  const selector = namespaces === undefined ? undefined : selectorOf(authority);
  if (selector !== undefined)
    return {
      ...authority,
      code: 'ClusterAuthorityNotServed',
      problem: `${selector} needs the labels of namespaces, which a controller of single namespaces (--namespaces) may not read: list names instead, or set all: true`,
    };
  return authority;
}

/** The first field that depends on labels of namespaces. */
function selectorOf({ allowedNamespaces, issuancePolicy }: CertificateAuthority): string | undefined {
  if (allowedNamespaces?.selector !== undefined) return 'spec.allowedNamespaces.selector';
  const rule = ruleByLabels(issuancePolicy);
  return rule && `the rule ${rule} in spec.issuancePolicy`;
}
