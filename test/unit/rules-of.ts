import { isBrokenAuthority, parseCertificateAuthority } from '../../src/api/certificate-authority.ts';
import type { IssuancePolicy, IssuanceRule } from '../../src/api/issuance-policy.ts';
import { Rule } from '../../src/policy/rule.ts';

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

/** One rule of such a policy. */
export function aRule(terms: object = {}): Rule {
  const [rule] = rulesOf([terms]) as readonly IssuanceRule[];
  return new Rule(rule as IssuanceRule);
}
