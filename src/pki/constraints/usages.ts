import type { CertificateView } from '../certificate.ts';
import { canonicalUsage, isKeyUsage } from '../usages.ts';
import { caName, listed, quoted } from './words.ts';

/** The extended key usages of one CA. */
export interface UsageRules {
  readonly ca: string;
  readonly allowed: ReadonlySet<string>;
}

/** The rules of a CA; undefined if it has no extended key usage, which allows all. */
export function compileUsageRules(ca: Pick<CertificateView, 'subjectText' | 'usages'>): UsageRules | undefined {
  const extended = ca.usages.filter((usage) => !isKeyUsage(usage) && !usage.startsWith('key usage '));
  return extended.length === 0 ? undefined : { ca: caName(ca), allowed: new Set(extended) };
}

/**
 * Why a leaf with these usages is refused, as a sentence; undefined if it isn't. RFC 5280 says nothing of it, but OpenSSL
 * and Go nest extended key usages down the path. For OpenSSL `any` in a CA stands for none but itself.
 */
export function usageProblem(rules: readonly UsageRules[], usages: readonly string[]): string | undefined {
  const asked = usages.map(canonicalUsage).filter((usage) => !isKeyUsage(usage));
  for (const { ca, allowed } of rules) {
    const missing = asked.find((usage) => !allowed.has(usage));
    if (missing === undefined) continue;
    const has = listed([...allowed].map(quoted));
    return `usages holds ${quoted(missing)}, which the extended key usage of ${ca} lacks (it has ${has}); OpenSSL and Go refuse that: the CA must be made again with this usage, or without an extended key usage`;
  }
  return undefined;
}
