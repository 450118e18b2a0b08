import { children, expectTag, readElement, readOid, readSmallInteger } from '../asn1/read.ts';
import { TAG } from '../asn1/write.ts';

export const ANY_POLICY = '2.5.29.32.0';

export interface PolicyMapping {
  readonly issuer: string;
  readonly subject: string;
}

/** How many certificates may follow before the rule holds. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy?: number;
  readonly inhibitPolicyMapping?: number;
}

export interface Policies {
  /** Dotted decimals, each once. */
  readonly list: readonly string[];
  /** Whether any of them comes with qualifiers, such as the address of a statement. */
  readonly qualified: boolean;
}

/** Reads certificatePolicies (RFC 5280 section 4.2.1.4). Throws an Error if it is malformed or names a policy twice. */
export function readPolicies(der: Buffer): Policies {
  const items = children(readElement(der, TAG.sequence, 'certificate policies'));
  const list = new Set<string>();
  let qualified = false;
  for (const item of items) {
    const [id, ...qualifiers] = children(expectTag(item, TAG.sequence, 'certificate policy'));
    const policy = readOid(id, 'certificate policy');
    if (list.has(policy)) throw new Error(`certificate policy ${policy} twice`);
    list.add(policy);
    qualified ||= qualifiers.length > 0;
  }
  if (list.size === 0) throw new Error('certificate policies without a policy');
  return { list: [...list], qualified };
}

/** Reads policyMappings (RFC 5280 section 4.2.1.5). Throws an Error if it is malformed. */
export function readPolicyMappings(der: Buffer): PolicyMapping[] {
  return children(readElement(der, TAG.sequence, 'policy mappings')).map((item) => {
    const [issuer, subject, ...more] = children(expectTag(item, TAG.sequence, 'policy mapping'));
    if (more.length > 0) throw new Error('policy mapping is malformed');
    return { issuer: readOid(issuer, 'policy mapping'), subject: readOid(subject, 'policy mapping') };
  });
}

/** Reads policyConstraints (RFC 5280 section 4.2.1.11). Throws an Error if it is malformed. */
export function readPolicyConstraints(der: Buffer): PolicyConstraints {
  const found: { requireExplicitPolicy?: number; inhibitPolicyMapping?: number } = {};
  for (const { tag, bytes, content } of children(readElement(der, TAG.sequence, 'policy constraints'))) {
    const key = tag === 0x80 ? 'requireExplicitPolicy' : tag === 0x81 ? 'inhibitPolicyMapping' : undefined;
    if (key === undefined || found[key] !== undefined) throw new Error('policy constraints are malformed');
    found[key] = readSmallInteger({ tag: TAG.integer, bytes, content }, key);
  }
  return found;
}

/** Reads inhibitAnyPolicy (RFC 5280 section 4.2.1.14). Throws an Error if it is malformed. */
export function readInhibitAnyPolicy(der: Buffer): number {
  return readSmallInteger(readElement(der, TAG.integer, 'inhibit any policy'), 'inhibit any policy');
}
