import { isBrokenAuthority, parseCertificateAuthority } from '../../src/api/certificate-authority.ts';
import type { IssuancePolicy } from '../../src/api/issuance-policy.ts';

/** The issuance policy of a ClusterCertificateAuthority with these rules, named by their places and for every namespace unless they say otherwise. */
export function rulesOf(rules: readonly object[]): IssuancePolicy {
  const given = rules.map((each, at) => ({ name: `rule-${at}`, namespaces: { all: true }, ...each }));
  const authority = parseCertificateAuthority('ClusterCertificateAuthority', {
    metadata: { name: 'platform' },
    spec: { secret: { name: 'pair' }, issuancePolicy: { rules: given } },
  });
  if (isBrokenAuthority(authority)) throw new Error(authority.problem);
  return authority.issuancePolicy;
}
