import type { Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { TargetKind } from '../api/trust-targets.ts';

/** Where the PEM stands in a ConfigMap and in a Secret: the Gateway API reads it there (BackendTLSPolicy, frontend validation). */
export const CA_KEY = 'ca.crt';

/** One kind of object that a trust bundle can be written into. */
export interface KindOfTarget {
  readonly kind: TargetKind;
  readonly resource: Resource;
  /** The value below `trustTargets` of the chart that gives the rights; the flag --trust-targets lists it. */
  readonly right: 'configMaps' | 'secrets' | 'clusterTrustBundles';
  /** The PEM that an object holds; undefined for one without. */
  read(object: RawObject): string | undefined;
  /** The object that holds the PEM, without its metadata. */
  write(pem: string, signerName: string | undefined): Readonly<Record<string, unknown>>;
}
