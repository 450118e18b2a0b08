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

interface Kind {
  /** Whether it is to be withheld, and could not be: its CA may be shown to be trusted days later. */
  readonly isWithheld: boolean;
}

/** See AuthorityView.origin: what one authority signed is not published as that of another below the same root. */
type Origin = string;

/** One that is older than this was issued for a state of affairs that may be over. */
const LONGEST_KEPT_MS = 60_000;

/**
 * Certificates whose Secret couldn't be written: the next look publishes them, so that an API server that is busy for a
 * moment doesn't cost another one, which some authorities count or charge for. They live in memory only, and not long, but for
 * those that are to be withheld.
 */
export class UnpublishedCertificates {
  readonly #kept = new Map<
    string,
    UnpublishedCertificate & Pick<Wanted, 'uid' | 'generation'> & Kind & { origin: Origin }
  >();

  keep(
    resource: Omit<Wanted, 'spec'>,
    origin: Origin,
    made: UnpublishedCertificate,
    { isWithheld }: Kind = { isWithheld: false },
  ): void {
    const { uid, generation } = resource;
    this.#kept.set(keyOf(resource), { ...made, uid, generation, isWithheld, origin });
  }

  /** What was kept for this very spec, of this very authority, and isn't due yet itself; it is handed out once. */
  take(resource: Wanted, origin: Origin, now: Date): UnpublishedCertificate | undefined {
    const { uid, generation, spec } = resource;
    const kept = this.#kept.get(keyOf(resource));
    this.drop(keyOf(resource));
    const [leaf] = kept?.issued.chain ?? [];
    const isOfIt = kept?.uid === uid && kept.generation === generation && kept.origin === origin;
    if (!isOfIt || leaf === undefined) return undefined;
    const ageMs = now.getTime() - kept.issuedAt.getTime();
    // One that is due would be published only to be issued anew at once.
    const isFresh =
      ageMs >= 0 &&
      (ageMs < LONGEST_KEPT_MS || kept.isWithheld) &&
      schedule(leaf, { ...spec, uid }, { issuedAt: kept.issuedAt, now }).due > now;
    return isFresh ? kept : undefined;
  }

  /** Nothing is issued now. What is to be withheld waits for longer; `isOver` says that nothing waits for it. */
  leave(certificate: string, isOver: boolean): void {
    if (isOver || this.#kept.get(certificate)?.isWithheld !== true) this.drop(certificate);
  }

  /** It isn't needed any more: the key of its ClientCertificate, which may be gone. */
  drop(certificate: string): void {
    this.#kept.delete(certificate);
  }
}
