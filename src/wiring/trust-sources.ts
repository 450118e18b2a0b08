import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import { referencedObjects } from '../authority/referenced-objects.ts';
import { readTrustSource, type SourceFinding } from '../trust-targets/sources.ts';
import { namespaceOf, type Services } from './services.ts';

interface Known {
  /** The uid and generation of the authority as it was. */
  readonly version: string;
  readonly objects: ReturnType<typeof referencedObjects>;
  /** By the source as the spec has it. */
  readonly lastGood: Map<string, SourceFinding>;
}

/** The sources of spec.trust.sources, watched from the first time that they are asked for. */
export class TrustSources {
  readonly #services: Services;
  readonly #wake: (authority: string) => void;
  readonly #known = new Map<string, Known>();

  constructor(services: Services, wake: (authority: string) => void) {
    this.#services = services;
    this.#wake = wake;
  }

  async read(resource: CertificateAuthority): Promise<readonly SourceFinding[]> {
    const key = authorityKey(resource);
    if (resource.trustSources.length === 0) {
      this.forget(key);
      return [];
    }
    const known = this.#ensure(key, resource);
    const namespace = namespaceOf(resource, this.#services);
    return Promise.all(
      resource.trustSources.map(async (source) => {
        const id = JSON.stringify(source);
        const found = await readTrustSource(source, namespace, known.objects.configMap, known.lastGood.get(id));
        if (found.trouble === undefined) known.lastGood.set(id, found);
        return found;
      }),
    );
  }

  forget(key: string): void {
    this.#known.get(key)?.objects.release();
    this.#known.delete(key);
  }

  #ensure(key: string, resource: CertificateAuthority): Known {
    const version = `${resource.uid}/${resource.generation}`;
    const before = this.#known.get(key);
    if (before?.version === version) return before;
    const objects = referencedObjects(namespaceOf(resource, this.#services), this.#services, () => this.#wake(key));
    const isSame = before?.version.startsWith(`${resource.uid}/`) === true;
    const known = { version, objects, lastGood: isSame ? before.lastGood : new Map() };
    before?.objects.release();
    this.#known.set(key, known);
    return known;
  }
}
