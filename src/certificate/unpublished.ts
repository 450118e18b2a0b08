import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { Issued } from '../authorities/authority.ts';
import { schedule } from './schedule.ts';

/** A certificate that was issued, and its key. */
export interface Made {
  readonly issued: Issued;
  readonly key: KeyObject;
  readonly issuedAt: Date;
}

type Wanted = Pick<ClientCertificate, 'uid' | 'generation' | 'spec'>;

/** One that is older than this was issued for a state of affairs that may be over. */
const LONGEST_KEPT_MS = 60_000;

/**
 * Certificates whose Secret couldn't be written: the next look publishes them, so that an API server that is busy for a
 * moment doesn't cost another one, which some authorities count or charge for. They live in memory only, and not long.
 */
export class Unpublished {
  readonly #kept = new Map<string, Made & { readonly generation: number }>();

  keep({ uid, generation }: Pick<Wanted, 'uid' | 'generation'>, made: Made): void {
    this.#kept.set(uid, { ...made, generation });
  }

  /** What was kept for this very spec and isn't due yet itself; it is handed out once. */
  take({ uid, generation, spec }: Wanted, now: Date): Made | undefined {
    const kept = this.#kept.get(uid);
    this.#kept.delete(uid);
    const [leaf] = kept?.issued.chain ?? [];
    if (kept?.generation !== generation || leaf === undefined) return undefined;
    const ageMs = now.getTime() - kept.issuedAt.getTime();
    // One that is due would be published only to be issued anew at once.
    const isFresh = ageMs >= 0 && ageMs < LONGEST_KEPT_MS && schedule(leaf, { ...spec, uid }).due > now;
    return isFresh ? kept : undefined;
  }

  /** It isn't needed any more. */
  drop(uid: string): void {
    this.#kept.delete(uid);
  }
}
