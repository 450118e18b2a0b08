import type { Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { ObjectKind } from '../api/trust-targets.ts';

/** Where the PEM stands in a ConfigMap and in a Secret: the Gateway API reads it there (BackendTLSPolicy, frontend validation). */
export const CA_KEY = 'ca.crt';

export interface TargetContent {
  readonly pem: string;
  readonly files: Readonly<Record<string, string>>;
  /** The files that are text. */
  readonly texts?: readonly string[] | undefined;
  readonly signerName: string | undefined;
}

/** One kind of object that a trust bundle can be written into. */
export interface KindOfTarget {
  readonly kind: ObjectKind;
  readonly resource: Resource;
  /** The value below `trustTargets` of the chart that gives the rights; the flag --trust-targets lists it. */
  readonly right: 'configMaps' | 'secrets' | 'clusterTrustBundles';
  /** The PEM that an object holds; undefined for one without. */
  read(object: RawObject): string | undefined;
  /** A file beside the PEM, as base64; undefined where there is none of that name. */
  readFile(object: RawObject, name: string): string | undefined;
  /** The object that holds the PEM and files beside it (base64, by name), without its metadata. */
  write(content: TargetContent): Readonly<Record<string, unknown>>;
}
