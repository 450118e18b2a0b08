import { type Option, oneOf, toList, toMs } from '../flag-values.ts';

/** What the chart gives rights for, by its value below `trustTargets`. */
export const TARGET_RIGHTS = ['configMaps', 'secrets', 'clusterTrustBundles', 'pods'] as const;
export type TargetRight = (typeof TARGET_RIGHTS)[number];

export interface TargetConfig {
  /** The kinds of objects that may be written for spec.trust.targets, and whether Pods are watched that mount them. */
  readonly trustTargets: readonly TargetRight[];
  /** The longest time that the kubelet takes to bring a changed object into a volume. */
  readonly kubeletSyncMs: number;
}

export const TARGET_OPTIONS = [
  {
    flag: 'trust-targets',
    value: 'A,B',
    standard: '',
    help: `for spec.trust.targets, some of ${TARGET_RIGHTS.join(', ')}`,
  },
  {
    flag: 'kubelet-sync',
    value: 'DURATION',
    standard: '2m',
    help: 'longest time for the kubelet to bring a changed object into a volume',
  },
] as const satisfies readonly Option[];

/** Throws StartError. */
export function toTargetConfig(
  values: Readonly<Record<(typeof TARGET_OPTIONS)[number]['flag'], string>>,
): TargetConfig {
  const rights = toList(values['trust-targets']).map((each) => oneOf('trust-targets', each, TARGET_RIGHTS));
  return { trustTargets: [...new Set(rights)], kubeletSyncMs: toMs('kubelet-sync', values['kubelet-sync']) };
}
