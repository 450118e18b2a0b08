import { Counter, type Registry } from 'prom-client';
import type { AuthorityKind } from '../api/client-certificate.ts';
import type { IssuancePolicy, IssuanceRule } from '../api/issuance-policy.ts';

/**
 * Certificates by the rule that permits them. Only rules that an authority has now have series. Those of a
 * ClusterCertificateAuthority begin at zero, so that the first issuance is an increase; a CertificateAuthority is written
 * by tenants, so its rules get series when they are used.
 */
export class RuleSeries {
  readonly #counter: Counter<'authority' | 'rule'>;
  readonly #rules = new Map<string, readonly IssuanceRule[]>();

  constructor(registry: Registry) {
    this.#counter = new Counter({
      name: 'certwheel_issuances_by_rule_total',
      help: 'Published certificates, by the rule of spec.issuancePolicy that permitted them.',
      labelNames: ['authority', 'rule'],
      registers: [registry],
    });
  }

  /** The rules of an authority as it is stored now. */
  show(authority: string, kind: AuthorityKind, policy: IssuancePolicy): void {
    const rules = typeof policy === 'string' ? [] : policy;
    const former = this.#rules.get(authority) ?? [];
    if (rules.length === 0 && former.length === 0) return;
    const names = new Set(rules.map(({ name }) => name));
    for (const { name: rule } of former) if (!names.has(rule)) this.#counter.remove({ authority, rule });
    if (kind === 'ClusterCertificateAuthority') for (const rule of names) this.#counter.inc({ authority, rule }, 0);
    this.#rules.set(authority, rules);
  }

  issued(authority: string, rule: string): void {
    // The rule, or its authority, may have gone while the certificate was published.
    if (this.#rules.get(authority)?.some(({ name }) => name === rule)) this.#counter.inc({ authority, rule });
  }

  hide(authority: string): void {
    for (const { name: rule } of this.#rules.get(authority) ?? []) this.#counter.remove({ authority, rule });
    this.#rules.delete(authority);
  }
}
