import type { Resource } from '../api/names.ts';

/** For every call. */
export interface CallOptions {
  /** 30 s by default. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Without a namespace: all of them. */
export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection, CallOptions {
  limit?: number | undefined;
  continue?: string | undefined;
}

export interface WriteOptions extends CallOptions {
  subresource?: string | undefined;
  /** Admission and validation run, and nothing is stored. */
  dryRun?: boolean | undefined;
}

export interface WatchOptions extends Selection {
  /** From where on; undefined together with `initialEvents`. */
  resourceVersion?: string | undefined;
  /** All that is there comes first, each as if it had just been added, and then a bookmark that says so. */
  initialEvents?: boolean | undefined;
  /** After this long the server ends the stream in good order. */
  timeoutSeconds: number;
  /** The stream fails when nothing, not even a bookmark, has arrived for this long. */
  idleMs: number;
  signal?: AbortSignal | undefined;
  /** Called for whatever arrives. */
  onBytes?: (() => void) | undefined;
}

export interface Preconditions {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
}

/** What `canI` asks about. */
export interface Access {
  verb: string;
  resource: Resource;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}
