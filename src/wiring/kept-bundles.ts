import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { SpiffeBundleSource } from '../api/generated/types.ts';
import { SECRETS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError, classify, RetryableError } from '../errors.ts';
import { fieldAltered } from '../kube/difference.ts';
import {
  isKeptSecret,
  type KeptBundle,
  keptManifest,
  keptSecretName,
  keptText,
  readKept,
  readKeptTexts,
} from '../trust-targets/kept-bundles.ts';
import { namespaceOf, type Services } from './services.ts';

const WRITE_ATTEMPTS = 4;

/** The Secret beside an authority that keeps what the endpoints of its sources served last. */
export class KeptBundles {
  readonly #services: Services;
  #resource: CertificateAuthority;
  readonly #namespace: string;
  /** One write after the other: the sources of an authority share the Secret. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(services: Services, resource: CertificateAuthority) {
    this.#services = services;
    this.#resource = resource;
    this.#namespace = namespaceOf(resource, services);
  }

  /** The spec has changed. */
  follow(resource: CertificateAuthority): void {
    this.#resource = resource;
  }

  /** What was kept of a source. Throws an ApiError where the API server doesn't say. */
  async load(name: string, source: SpiffeBundleSource): Promise<KeptBundle | undefined> {
    const current = await this.#current();
    try {
      return current && readKept(this.#resource, source, readKeptTexts(current).get(name));
    } catch (error) {
      this.#warn('the kept bundle of a trust source is not used', name, error);
      return undefined;
    }
  }

  /** Keeps it; a failure is logged, since a bundle that was read is good also where it can't outlive a restart. */
  keep(name: string, source: SpiffeBundleSource, kept: KeptBundle): Promise<void> {
    const done = this.#last.then(() => this.#write(name, keptText(this.#resource, source, kept)));
    this.#last = done;
    return done;
  }

  async #write(name: string, text: string): Promise<void> {
    try {
      for (let attempt = 1; !(await this.#tryToWrite(name, text)); attempt++)
        if (attempt === WRITE_ATTEMPTS) throw new RetryableError('Conflict', 'another writer changes it all the time');
    } catch (error) {
      this.#warn('the bundle of a trust source could not be kept', name, error);
    }
  }

  /** False after a lost race. */
  async #tryToWrite(name: string, text: string): Promise<boolean> {
    const { client, ownership } = this.#services;
    const { trustSources } = this.#resource;
    const current = await this.#current();
    const former = current === undefined ? [] : [...readKeptTexts(current)];
    const isWanted = (each: string) => trustSources.some((source) => source.name === each);
    const texts = new Map([...former.filter(([each]) => isWanted(each)), [name, text]]);
    const manifest = keptManifest(this.#resource, this.#namespace, texts, current);
    try {
      ownership.assert(authorityKey(this.#resource));
      const altered = fieldAltered(manifest, await client.apply(SECRETS, manifest));
      if (altered === undefined) return true;
      throw new RetryableError('SecretAltered', `${altered} is stored otherwise than it was sent`);
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  async #current(): Promise<RawObject | undefined> {
    const name = keptSecretName(this.#resource);
    const found = await this.#services.client.get(SECRETS, this.#namespace, name);
    if (found === undefined || isKeptSecret(found, this.#resource)) return found;
    throw new RetryableError(
      'SecretNotOwned',
      `Secret ${this.#namespace}/${name} is to keep the bundles of its sources, and that Secret isn't Certwheel's; rename it`,
    );
  }

  #warn(what: string, source: string, error: unknown): void {
    const { code, message } = classify(error);
    const authority = authorityKey(this.#resource);
    this.#services.log.warn(what, { authority, source, code, error: message });
  }
}
