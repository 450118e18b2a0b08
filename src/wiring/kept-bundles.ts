import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { SpiffeBundleSource } from '../api/generated/types.ts';
import { SECRETS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError, classify, RetryableError } from '../errors.ts';
import { type KeptBundle, keptText, readKept, readKeptTexts, SOURCES_SECRET } from '../trust-targets/kept-bundles.ts';
import { applyUnaltered } from './secret-access.ts';
import { namespaceOf, type Services } from './services.ts';

const WRITE_ATTEMPTS = 4;

type TextFor = (keeper: Parameters<typeof keptText>[0]) => string;

/** The Secret beside an authority that keeps what the endpoints of its sources served last. */
export class KeptBundles {
  readonly #services: Services;
  #resource: CertificateAuthority;
  readonly #namespace: string;
  /** One write after the other: the sources of an authority share the Secret. */
  #last: Promise<unknown> = Promise.resolve();
  /** Why the bundle of a source could not be kept last, by its name. */
  readonly #warned = new Map<string, string>();

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
      return current && readKept(this.#keeper(current), source, readKeptTexts(current).get(name));
    } catch (error) {
      this.#warn('the kept bundle of a trust source is not used', name, error);
      return undefined;
    }
  }

  /** Keeps it; a failure is logged, since a bundle that was read is good also where it can't outlive a restart. Whether it is kept. */
  keep(name: string, source: SpiffeBundleSource, kept: KeptBundle): Promise<boolean> {
    const done = this.#last.then(() => this.#write(name, (keeper) => keptText(keeper, source, kept)));
    this.#last = done;
    return done;
  }

  async #write(name: string, textFor: TextFor): Promise<boolean> {
    try {
      for (let attempt = 1; !(await this.#tryToWrite(name, textFor)); attempt++)
        if (attempt === WRITE_ATTEMPTS) throw new RetryableError('Conflict', 'another writer changes it all the time');
      this.#warned.delete(name);
      return true;
    } catch (error) {
      // It is tried again with each read.
      const { message } = classify(error);
      if (this.#warned.get(name) !== message)
        this.#warn('the bundle of a trust source could not be kept, so it is lost with the next restart', name, error);
      this.#warned.set(name, message);
      return false;
    }
  }

  /** False after a lost race. */
  async #tryToWrite(name: string, textFor: TextFor): Promise<boolean> {
    const { trustSources } = this.#resource;
    const isWanted = (each: string) => trustSources.some((source) => source.name === each);
    try {
      const found = await this.#current();
      const current = found ?? (await this.#apply(SOURCES_SECRET.blank(this.#resource, this.#namespace)));
      const former = [...readKeptTexts(current)].filter(([each]) => isWanted(each));
      const texts = new Map([...former, [name, textFor(this.#keeper(current))]]);
      await this.#apply(SOURCES_SECRET.manifest(this.#resource, this.#namespace, texts, current));
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  #apply(manifest: ReturnType<typeof SOURCES_SECRET.blank>): Promise<RawObject> {
    this.#services.ownership.assert(authorityKey(this.#resource));
    return applyUnaltered(this.#services.client, manifest);
  }

  #keeper({ metadata }: RawObject) {
    return { uid: this.#resource.uid, secretUid: metadata?.uid };
  }

  async #current(): Promise<RawObject | undefined> {
    const name = SOURCES_SECRET.nameOf(this.#resource);
    const found = await this.#services.client.get(SECRETS, this.#namespace, name);
    if (found === undefined || SOURCES_SECRET.isOf(found, this.#resource)) return found;
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
