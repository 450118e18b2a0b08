import type { CertificateView } from '../../pki/certificate.ts';
import { type CrlPart, placeKey, readCrlPart } from './crl-maps.ts';
import { type CrlMaps, higher, type PublishedCrl, publishedCrl } from './publish-crl.ts';
import type { SigningGeneration } from './signing-generations.ts';

/** What was published is read again after this long: a ConfigMap that was deleted or altered comes back. */
export const READ_AGAIN_MS = 5 * 60_000;

/** What is published for one authority, as of the last time that it was read. */
export interface Known {
  readonly readAt: Date;
  /** By placeKey. */
  readonly byPlace: Map<string, PublishedCrl>;
}

/** What is published, as it was read or written last. */
export class PublishedCrls {
  readonly #maps: CrlMaps;
  /** By the uid of the authority. */
  readonly #known = new Map<string, Known>();

  constructor(maps: CrlMaps) {
    this.#maps = maps;
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }

  /** What is published for an authority; CRLs of generations that are retired are removed. Throws an ApiError. */
  async read(uid: string, generations: readonly SigningGeneration[], now: Date): Promise<Known> {
    const before = this.#known.get(uid);
    const ageMs = before === undefined ? -1 : now.getTime() - before.readAt.getTime();
    if (before !== undefined && ageMs >= 0 && ageMs < READ_AGAIN_MS && isCovered(before, uid, generations))
      return before;
    const parts = (await this.#maps.list(uid)).flatMap((object) => readCrlPart(object) ?? []);
    const certificates = new Map(
      generations.map(({ generation: { version, path } }) => [placeKey({ uid, version }), path.certificate]),
    );
    // The number of one that is gone stays known, and the next one has a higher number whatever the clock says.
    const byPlace = new Map<string, PublishedCrl>();
    for (const [key, { number }] of before?.byPlace ?? [])
      if (certificates.has(key)) byPlace.set(key, { crl: undefined, number, parts: 0, resourceVersion: undefined });
    for (const [key, ofPlace] of Map.groupBy(parts, ({ place }) => placeKey(place))) {
      const certificate = certificates.get(key);
      if (certificate === undefined) for (const { name } of ofPlace) await this.#maps.delete(name);
      else byPlace.set(key, publishedAgain(ofPlace, certificate, before?.byPlace.get(key)));
    }
    const known = { readAt: now, byPlace };
    this.#known.set(uid, known);
    return known;
  }
}

/** To verify a signature and to index 100,000 entries takes long, and mostly nothing has changed. */
function publishedAgain(
  parts: readonly CrlPart[],
  certificate: CertificateView,
  before: PublishedCrl | undefined,
): PublishedCrl {
  const first = parts.find(({ part }) => part === 0);
  const isSame =
    before?.resourceVersion !== undefined &&
    before.resourceVersion === first?.resourceVersion &&
    parts.length === before.parts &&
    parts.every(({ digest }) => digest === first.digest);
  if (isSame) return before;
  const found = publishedCrl(parts, certificate);
  return { ...found, number: higher(found.number, before?.number ?? 0n) };
}

/** Whether nothing is published for generations that are retired by now. */
function isCovered(known: Known, uid: string, generations: readonly SigningGeneration[]): boolean {
  const living = new Set(generations.map(({ generation: { version } }) => placeKey({ uid, version })));
  return [...known.byPlace.keys()].every((key) => living.has(key));
}
