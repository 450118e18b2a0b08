import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { keyOf } from '../../api/parse.ts';
import type { Issued } from '../../backends/backend.ts';
import { schedule } from '../decision/schedule.ts';

/** A certificate that was issued, and its key. */
export interface UnpublishedCertificate {
  readonly issued: Issued;
  readonly key: KeyObject;
  readonly issuedAt: Date;
}

type Wanted = Pick<ClientCertificate, 'namespace' | 'name' | 'uid' | 'generation' | 'spec'>;

/** One that is older than this was issued for a state of affairs that may be over. */
const LONGEST_KEPT_MS = 60_000;

/**
 * Certificates whose Secret couldn't be written: the next look publishes them, so that an API server that is busy for a
 * moment doesn't cost another one, which some authorities count or charge for. They live in memory only, and not long.
 */
export class UnpublishedCertificates {
  readonly #kept = new Map<string, UnpublishedCertificate & Pick<Wanted, 'uid' | 'generation'>>();

  keep(resource: Omit<Wanted, 'spec'>, made: UnpublishedCertificate): void {
    const { uid, generation } = resource;
    this.#kept.set(keyOf(resource), { ...made, uid, generation });
  }

  /** What was kept for this very spec and isn't due yet itself; it is handed out once. */
  take(resource: Wanted, now: Date): UnpublishedCertificate | undefined {
    const { uid, generation, spec } = resource;
    const kept = this.#kept.get(keyOf(resource));
    this.drop(keyOf(resource));
    const [leaf] = kept?.issued.chain ?? [];
    if (kept?.uid !== uid || kept.generation !== generation || leaf === undefined) return undefined;
    const ageMs = now.getTime() - kept.issuedAt.getTime();
    // One that is due would be published only to be issued anew at once.
    const isFresh =
      ageMs >= 0 &&
      ageMs < LONGEST_KEPT_MS &&
      schedule(leaf, { ...spec, uid }, { issuedAt: kept.issuedAt, now }).due > now;
    return isFresh ? kept : undefined;
  }

  /** It isn't needed any more: the key of its ClientCertificate, which may be gone. */
  drop(certificate: string): void {
    this.#kept.delete(certificate);
  }
}
