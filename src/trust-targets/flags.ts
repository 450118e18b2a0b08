import { type Option, oneOf, toList } from '../flag-values.ts';

/** What the chart gives rights for, by its value below `trustTargets`. */
export const TARGET_RIGHTS = ['configMaps', 'secrets', 'clusterTrustBundles'] as const;
export type TargetRight = (typeof TARGET_RIGHTS)[number];

export interface TargetConfig {
  /** The kinds of objects that may be written for spec.trust.targets. */
  readonly trustTargets: readonly TargetRight[];
}

export const TARGET_OPTIONS = [
  {
    flag: 'trust-targets',
    value: 'A,B',
    standard: '',
    help: `kinds of spec.trust.targets that are served: ${TARGET_RIGHTS.join(', ')}`,
  },
] as const satisfies readonly Option[];

/** Throws StartError. */
export function toTargetConfig(
  values: Readonly<Record<(typeof TARGET_OPTIONS)[number]['flag'], string>>,
): TargetConfig {
  const rights = toList(values['trust-targets']).map((each) => oneOf('trust-targets', each, TARGET_RIGHTS));
  return { trustTargets: [...new Set(rights)] };
}
