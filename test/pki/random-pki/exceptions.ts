import type { Material } from './material.ts';
import type { Path } from './paths.ts';

/** A kind of path that OpenSSL, Go and Java accept and that Certwheel refuses on purpose. */
export interface Exception {
  readonly name: string;
  /** Why refusing is right. */
  readonly reason: string;
  readonly fits: (path: Path, material: Material, refusal: string) => boolean;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    name: 'a URI without a host below URI constraints that are not critical',
    reason: 'placeholder',
    fits: () => false,
  },
];
