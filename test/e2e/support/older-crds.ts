import { readdirSync, readFileSync } from 'node:fs';
import { dump, load } from 'js-yaml';
import type { ControlPlane } from '../../cluster/control-plane.ts';

const CRDS = `${import.meta.dirname}/../../../crds`;

/** Our CRDs without CEL rules: what is created now is as old as the time before the rules. */
export async function applyWithoutRules(cluster: ControlPlane): Promise<void> {
  const withoutRules = (_: string, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    return Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'x-kubernetes-validations'));
  };
  const crds = readdirSync(CRDS).map((file) => load(readFileSync(`${CRDS}/${file}`, 'utf8')));
  const input = crds.map((crd) => dump(JSON.parse(JSON.stringify(crd, withoutRules)))).join('---\n');
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input });
}
