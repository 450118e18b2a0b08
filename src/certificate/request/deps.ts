import type { RawObject } from '../../api/parse.ts';
import type { Backend, Issued, IssueRequest, Pending } from '../../backends/backend.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { Ownership } from '../../ownership.ts';
import type { NextKey } from './next-key.ts';
import type { NextManifest } from './next-manifest.ts';
import type { PendingRequests } from './pending-requests.ts';

/** The Secrets that keep keys of requests under way. */
export interface NextKeyAccess {
  /** Past the cache, with the key. */
  read(namespace: string, name: string): Promise<RawObject | undefined>;
  /** Server-side apply; the cache knows what is stored as soon as this is answered. */
  apply(manifest: NextManifest): Promise<NextKey>;
  /** Harmless where it is gone, or another one by now. */
  delete(next: NextKey): Promise<void>;
}

export interface RequestDeps {
  readonly nextKeys: NextKeyAccess;
  /** The Secret of a certificate, past the cache. */
  liveSecret(namespace: string, name: string): Promise<RawObject | undefined>;
  readonly awaited: PendingRequests;
  /** See PublishDeps. */
  purposeOf(secret: RawObject): string | undefined;
  /** The backend that was asked; undefined where that authority is no more. */
  askedBy(next: NextKey): Backend | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
}

export type Ask = (request: IssueRequest) => Promise<Issued | Pending>;
