import { CRL_OF_LABEL } from '../api/books-names.ts';
import { CONFIG_MAPS } from '../api/names.ts';
import { Cache } from '../kube/cache/cache.ts';
import { Watch, type WatchDeps } from '../kube/watch.ts';
import type { Logger } from '../log.ts';
import { signsAlike } from '../pki/ca.ts';
import { type CertificateView, parseCertificates } from '../pki/certificate.ts';
import { type CrlView, isCrlOf, readCrl } from '../pki/read-crl.ts';
import { type CrlPart, joinCrl, placeKey, readCrlPart } from '../revocation/crl/crl-maps.ts';
import { messageOf } from '../thrown.ts';

/** The CRL of one CA generation, which its CA has signed. */
export interface ServedCrl {
  readonly crl: CrlView;
  readonly ca: CertificateView;
  /** SHA-256, in hex. */
  readonly digest: string;
}

/** One part has up to 0.9 MiB in JSON, and a page of a list 8 MiB. */
const TIMING = { pageSize: 6 };

/** The CRLs that the controller has published in its namespace, followed by a watch. */
export class CrlLists {
  readonly #cache = new Cache<CrlPart | undefined, 'place'>({
    reduce: readCrlPart,
    indexes: { place: (part) => (part === undefined ? [] : [placeKey(part.place)]) },
  });
  readonly #watch: Watch<CrlPart | undefined>;
  readonly #log: Logger;
  readonly #served = new Map<string, ServedCrl>();

  constructor(deps: WatchDeps, namespace: string) {
    this.#log = deps.logger;
    this.#cache.onChange((_key, before, after) => {
      for (const key of new Set([before, after].flatMap((part) => (part ? [placeKey(part.place)] : []))))
        this.#update(key);
    });
    this.#watch = new Watch(deps, {
      resource: CONFIG_MAPS,
      namespace,
      labelSelector: CRL_OF_LABEL,
      cache: this.#cache,
      timing: TIMING,
    });
  }

  /** Whether all CRLs have been read once. */
  get isSynced(): boolean {
    return this.#watch.stats.synced;
  }

  /** Follows the ConfigMaps until the signal aborts; never throws. */
  follow(signal: AbortSignal): Promise<void> {
    return this.#watch.run(signal);
  }

  /** `place` as placeKey has it. */
  find(place: string): ServedCrl | undefined {
    return this.#served.get(place);
  }

  /** While a CRL is being replaced part by part, the former one stays. */
  #update(place: string): void {
    const parts = this.#cache.byIndex('place', place).flatMap((part) => part ?? []);
    if (parts.length === 0) {
      this.#served.delete(place);
      return;
    }
    const first = parts.find(({ part }) => part === 0);
    const former = this.#served.get(place);
    const der = first === undefined || first.digest === former?.digest ? undefined : joinCrl(parts);
    if (first === undefined || der === undefined) return;
    try {
      const found = readServed(der, first);
      if (former !== undefined) refuseReplay(found, former);
      this.#served.set(place, found);
      this.#log.info('a CRL is served', { place, number: String(found.crl.number), entries: found.crl.size });
    } catch (error) {
      this.#log.warn("a CRL can't be served, and the former one stays", { place, error: messageOf(error) });
    }
  }
}

function readServed(der: Buffer, { ca: caPem = '', digest }: CrlPart): ServedCrl {
  const [ca] = parseCertificates(caPem, { most: 1 });
  if (ca === undefined) throw new Error('its ConfigMap has no ca.crt');
  const crl = readCrl(der);
  if (!isCrlOf(crl, ca)) throw new Error('the CA of its ConfigMap has not signed it');
  return { crl, ca, digest };
}

/** An older CRL would make good what is revoked, and a generation never changes its CA. Throws an Error. */
function refuseReplay(found: ServedCrl, former: ServedCrl): void {
  if (!signsAlike(found.ca, former.ca)) throw new Error('it is of another CA than the former CRL');
  if ((found.crl.number ?? 0n) < (former.crl.number ?? 0n))
    throw new Error('its number is lower than that of the former CRL');
}
