import type { Material } from './material.ts';
import type { Path } from './paths.ts';

/** A kind of path that OpenSSL, Go and Java accept and that Certwheel refuses on purpose. */
export interface Exception {
  readonly name: string;
  /** Why refusing is right. */
  readonly reason: string;
  readonly fits: (path: Path, material: Material, refusal: string) => boolean;
}

/** A disagreement that fits none is an error of Certwheel's, or needs an entry with a reason that a user would accept. */
export const EXCEPTIONS: readonly Exception[] = [];
