import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { UpperCRL } from '../api/generated/types.ts';
import { earliest } from '../api/moments.ts';
import { referencedObjects } from '../authority/referenced-objects.ts';
import { crlSetOf } from '../revocation/crl/crl-set.ts';
import type { CrlState, KnownCrls } from '../revocation/crl/known-crls.ts';
import { readUpperCrl, type UpperFinding, upperProblems } from '../revocation/crl/upper-crls.ts';
import { isInBundle } from '../rotation/generation.ts';
import { CRLS_NOT_READ, type TargetCrls } from '../trust-targets/target-crls.ts';
import { namespaceOf, type Services } from './services.ts';

interface Known {
  /** The uid and generation of the authority as it was. */
  readonly version: string;
  readonly objects: ReturnType<typeof referencedObjects>;
  /** By what the spec says of the entry. */
  readonly before: Map<string, UpperFinding>;
}

const NONE: CrlState = { crls: new Map(), problems: new Map(), unread: undefined };

/** The CRLs for the targets of authorities: those that are published, and those of spec.revocation.crl.upper, which are watched. */
export class TargetCrlSources {
  readonly #services: Services;
  readonly #published: KnownCrls;
  readonly #wake: (authority: string) => void;
  readonly #known = new Map<string, Known>();

  constructor(services: Services, published: KnownCrls, wake: (authority: string) => void) {
    this.#services = services;
    this.#published = published;
    this.#wake = wake;
  }

  async read(resource: CertificateAuthority): Promise<TargetCrls> {
    const upper = await this.#upper(resource);
    const { clock, registry } = this.#services;
    const now = clock.now();
    const { crls, unread } = resource.revocation.keepsCrl
      ? (this.#published.stateOf(resource.uid) ?? { ...NONE, unread: CRLS_NOT_READ })
      : NONE;
    const generations = (registry.current(resource)?.generations ?? [])
      .filter(isInBundle)
      .map(({ version, path: { chain } }) => ({ version, chain }));
    const all = [...crls.values(), ...upper.flatMap((each) => each.crls)];
    const ends = all.map(({ nextUpdate }) => nextUpdate).filter((each) => each > now);
    const chains = generations.flatMap(({ chain }) => chain);
    const refused = upperProblems(upper, chains, now);
    return { set: crlSetOf(generations, all, now), refused, unread, nextEnd: earliest(ends) };
  }

  forget(key: string): void {
    this.#known.get(key)?.objects.release();
    this.#known.delete(key);
  }

  async #upper(resource: CertificateAuthority): Promise<readonly UpperFinding[]> {
    const { upperCrls } = resource.revocation;
    const key = authorityKey(resource);
    if (upperCrls.length === 0) {
      this.forget(key);
      return [];
    }
    const { objects, before } = this.#ensure(key, resource);
    const namespace = namespaceOf(resource, this.#services);
    return Promise.all(
      upperCrls.map(async (each: UpperCRL) => {
        const id = placeOf(each);
        const found = await readUpperCrl(each, namespace, objects.configMap, before.get(id));
        if (found.problem === undefined) before.set(id, found);
        return found;
      }),
    );
  }

  #ensure(key: string, resource: CertificateAuthority): Known {
    const version = `${resource.uid}/${resource.generation}`;
    const known = this.#known.get(key);
    if (known?.version === version) return known;
    const isSame = known?.version.startsWith(`${resource.uid}/`) === true;
    const places = new Set(resource.revocation.upperCrls.map(placeOf));
    const made = {
      version,
      objects: referencedObjects(namespaceOf(resource, this.#services), this.#services, () => this.#wake(key)),
      before: new Map([...(isSame ? known.before : [])].filter(([id]) => places.has(id))),
    };
    known?.objects.release();
    this.#known.set(key, made);
    return made;
  }
}

/** What is read. */
function placeOf(upper: UpperCRL): string {
  return JSON.stringify(upper);
}
