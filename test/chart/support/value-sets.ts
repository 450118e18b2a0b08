import { join } from 'node:path';
import { OPERATOR_API } from './operator.ts';

/** The sets of values for which manifests are judged; the first is the chart's own. */
export const VALUE_SETS = ['default', 'namespaces', 'everything', 'bare'] as const;

/** Arguments of `helm template`, as in a cluster with the Prometheus Operator. */
export function valuesOf(name: (typeof VALUE_SETS)[number]): string[] {
  const file = join(import.meta.dirname, `../values/${name}.yaml`);
  return [...OPERATOR_API, ...(name === 'default' ? [] : ['--values', file])];
}
