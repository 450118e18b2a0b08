import type { CertificateView } from '../pki/certificate.ts';

/** For so long a CA certificate that came back is taken as stated; it is trusted meanwhile as any other. */
const REMEMBERED_MS = 24 * 3_600_000;

interface Seen {
  readonly certificate: CertificateView;
  lastAt: Date;
  isMissing: boolean;
  isAlternating: boolean;
}

/**
 * What another machine states of its CAs, where that alternates: a pool of CAs that sign in turn and state themselves with each
 * certificate, or replicas that differ. Without this, each change would have the certificates of the other CA re-issued, and so
 * without end. In memory only: after a restart it is learnt from the next return.
 */
export class Alternation {
  readonly #seen = new Map<string, Seen>();

  /** Takes note of what is stated now. Returns those that are not, and are taken as stated all the same. */
  note(stated: readonly CertificateView[], now: Date): readonly CertificateView[] {
    if (stated.length === 0) return [];
    const present = new Set(stated.map(({ fingerprintSHA256 }) => fingerprintSHA256));
    for (const [fingerprint, each] of this.#seen) {
      // A clock that was set back must not prolong it.
      if (Math.abs(now.getTime() - each.lastAt.getTime()) >= REMEMBERED_MS) this.#seen.delete(fingerprint);
      else if (!present.has(fingerprint)) each.isMissing = true;
    }
    for (const certificate of stated) {
      const known = this.#seen.get(certificate.fingerprintSHA256);
      const isAlternating = known !== undefined && (known.isAlternating || known.isMissing);
      this.#seen.set(certificate.fingerprintSHA256, { certificate, lastAt: now, isMissing: false, isAlternating });
    }
    this.#forgetMost();
    return [...this.#seen.values()]
      .filter(({ isMissing, isAlternating }) => isMissing && isAlternating)
      .map(({ certificate }) => certificate);
  }

  /** The longest ago first. */
  #forgetMost(): void {
    if (this.#seen.size <= MOST_SEEN) return;
    const oldest = [...this.#seen].sort(([, one], [, other]) => one.lastAt.getTime() - other.lastAt.getTime());
    for (const [fingerprint] of oldest.slice(0, this.#seen.size - MOST_SEEN)) this.#seen.delete(fingerprint);
  }
}

/** As many as are followed at once, and those that they replaced. */
const MOST_SEEN = 32;
