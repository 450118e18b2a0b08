import type { RawObject } from '../api/parse.ts';

interface Named {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** An object to be written: preconditions (`uid`, `resourceVersion`) are simply part of its metadata. */
export type Writable =
  | { readonly metadata: Named }
  | { readonly metadata: Named & Readonly<Record<string, unknown>>; readonly [field: string]: unknown };

/** One page of a list. The items of a list carry neither apiVersion nor kind. */
export interface ListPage<T = RawObject> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: RawObject }
  | { readonly type: 'ERROR'; readonly object: Status };

/** What the API server says in place of an object. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/**
 * The resourceVersion that makes an apply create-only: it answers 409 wherever an object of that name exists, since no
 * object ever has this version.
 */
export const CREATE_ONLY = '1';

/** Orders two resourceVersions of one resource: negative when `a` is older. They are decimals beyond 2^53, so length comes first. */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
