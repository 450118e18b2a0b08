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

async function applyWithout(cluster: ControlPlane, keywords: readonly string[]): Promise<void> {
  const withoutRules = (_: string, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    return Array.isArray(value)
      ? value
      : Object.fromEntries(
          Object.entries(value).filter(
            ([key, each]) => !keywords.includes(key) || (key === 'pattern' && typeof each !== 'string'),
          ),
        );
  };
  const crds = readdirSync(CRDS).map((file) => load(readFileSync(`${CRDS}/${file}`, 'utf8')));
  const input = crds.map((crd) => dump(JSON.parse(JSON.stringify(crd, withoutRules)))).join('---\n');
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input });
}
