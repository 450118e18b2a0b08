import { children, expectTag, readElement } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { type CertificateView, distinct, parseCertificate } from './certificate.ts';
import type { Pool } from './path-search.ts';

/**
 * Certificates by subject, parsed when a path comes to their name: a bundle may hold hundreds, and all but a few have
 * nothing to do with the path. What can't be parsed is not found.
 */
export class CertificateStore implements Pool {
  readonly #bySubject = new Map<string, Buffer[]>();
  readonly #parsed = new Map<Buffer, CertificateView | undefined>();

  /** `parsed` are certificates that were parsed before, `ders` the others. */
  constructor(parsed: readonly CertificateView[], ders: readonly Buffer[]) {
    for (const each of parsed) this.#parsed.set(each.der, each);
    for (const der of [...parsed.map((each) => each.der), ...ders]) {
      const subject = subjectOf(der);
      if (subject === undefined) continue;
      const same = this.#bySubject.get(subject) ?? [];
      // One name for all would make each step of a search as long as the bundle.
      if (same.length < MOST_OF_ONE_NAME && !same.some((each) => each.equals(der))) same.push(der);
      this.#bySubject.set(subject, same);
    }
  }

  named(subjectDer: Buffer): readonly CertificateView[] {
    const ders = this.#bySubject.get(subjectDer.toString('latin1')) ?? [];
    return ders.flatMap((der) => this.#parse(der) ?? []);
  }

  /** Those whose SubjectPublicKeyInfo (DER) is that one. */
  holding(publicKeyDer: Buffer): readonly CertificateView[] {
    const ders = [...this.#bySubject.values()].flat().filter((der) => der.includes(publicKeyDer));
    return ders
      .slice(0, MOST_OF_ALL)
      .flatMap((der) => this.#parse(der) ?? [])
      .filter((each) => each.publicKeyDer.equals(publicKeyDer));
  }

  /** The first ones, whatever their name. */
  get all(): readonly CertificateView[] {
    return [...this.#bySubject.values()]
      .flat()
      .slice(0, MOST_OF_ALL)
      .flatMap((der) => this.#parse(der) ?? []);
  }

  /** Those that were parsed, without duplicates. */
  get seen(): readonly CertificateView[] {
    return distinct([...this.#parsed.values()].flatMap((each) => each ?? []));
  }

  #parse(der: Buffer): CertificateView | undefined {
    if (!this.#parsed.has(der))
      this.#parsed.set(
        der,
        attempt(() => parseCertificate(der)),
      );
    return this.#parsed.get(der);
  }
}

/** Renewed and cross-signed roots come in twos and threes. */
const MOST_OF_ONE_NAME = 20;

/** So many are parsed at once, whatever their names. */
const MOST_OF_ALL = 50;

const VERSION_TAG = 0xa0;

function subjectOf(der: Buffer): string | undefined {
  return attempt(() => {
    const [tbs] = children(readElement(der, TAG.sequence, 'certificate'));
    const fields = children(expectTag(tbs, TAG.sequence, 'TBSCertificate'));
    const at = fields[0]?.tag === VERSION_TAG ? 5 : 4;
    return fields[at]?.bytes.toString('latin1');
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
