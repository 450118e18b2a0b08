import { readdirSync, readFileSync } from 'node:fs';
import { dump, load } from 'js-yaml';
import type { ControlPlane } from '../../cluster/control-plane.ts';

const CRDS = `${import.meta.dirname}/../../../crds`;

const CEL_RULES = 'x-kubernetes-validations';

/** Our CRDs without CEL rules: what is created now is as old as the time before the rules. */
export function applyWithoutRules(cluster: ControlPlane): Promise<void> {
  return applyWithout(cluster, [CEL_RULES]);
}

/** The same without the patterns of texts. */
export function applyWithoutPatterns(cluster: ControlPlane): Promise<void> {
  return applyWithout(cluster, [CEL_RULES, 'pattern']);
}

/**
 * Our CRDs as an earlier and a later version might have them: the terms of rules without what they must and may hold, and with a
 * field `forbidden` that this version doesn't know.
 */
export function applyWithOtherTerms(cluster: ControlPlane): Promise<void> {
  return apply(cluster, (key, value) => {
    if (key === 'required' && Array.isArray(value))
      return value.filter((each) => !['namespaces', 'rules'].includes(each));
    const isRule = isObject(value) && 'maxCertificates' in value;
    return without(isRule ? { ...value, forbidden: { type: 'string' } } : value, [
      CEL_RULES,
      'pattern',
      'enum',
      'minimum',
    ]);
  });
}

function applyWithout(cluster: ControlPlane, keywords: readonly string[]): Promise<void> {
  return apply(cluster, (_, value) => without(value, keywords));
}

/** Of schemas, without those keywords; a field of that name stays. */
function without(value: unknown, keywords: readonly string[]): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key, each]) => !keywords.includes(key) || isSchema(each)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSchema(value: unknown): boolean {
  return isObject(value) && 'type' in value;
}

async function apply(cluster: ControlPlane, alter: (key: string, value: unknown) => unknown): Promise<void> {
  const crds = readdirSync(CRDS).map((file) => load(readFileSync(`${CRDS}/${file}`, 'utf8')));
  const input = crds.map((crd) => dump(JSON.parse(JSON.stringify(crd, alter)))).join('---\n');
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input });
}
