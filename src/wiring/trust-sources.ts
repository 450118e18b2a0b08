import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { TrustSource } from '../api/generated/types.ts';
import { keyOf } from '../api/parse.ts';
import { referencedObjects } from '../authority/referenced-objects.ts';
import { readable } from '../foreign-text.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { nameOf } from '../pki/path.ts';
import { BundleEndpoint } from '../trust-targets/bundle-endpoint.ts';
import { JudgedTexts } from '../trust-targets/judged-texts.ts';
import { PolledBundle } from '../trust-targets/polled-bundle.ts';
import { readTrustSource, type SourceFinding } from '../trust-targets/sources.ts';
import { TenantBounds } from '../trust-targets/tenant-bounds.ts';
import { KeptBundles } from './kept-bundles.ts';
import { namespaceOf, type Services } from './services.ts';
import { SharedReads } from './shared-reads.ts';
import { authorityAddresses } from './start-authority.ts';

interface Known {
  /** The uid and generation of the authority as it was. */
  readonly version: string;
  readonly objects: ReturnType<typeof referencedObjects>;
  readonly kept: KeptBundles;
  /** By what the spec says of the source, see placeOf. */
  readonly lastGood: Map<string, SourceFinding>;
  readonly texts: JudgedTexts;
  /** Those of a namespace take turns, which may last longer than the run that began to read. */
  readonly reads: SharedReads<readonly SourceFinding[]>;
  readonly polled: Map<string, { readonly bundle: PolledBundle; readonly stop: AbortController }>;
}

/** The sources of spec.trust.sources: watched, or polled, from the first time that they are asked for. */
export class TrustSources {
  readonly #services: Services;
  readonly #wake: (authority: string) => void;
  readonly #known = new Map<string, Known>();
  readonly #bounds: TenantBounds;

  constructor(services: Services, wake: (authority: string) => void) {
    this.#services = services;
    this.#wake = wake;
    this.#bounds = new TenantBounds(services.clock);
  }

  async read(resource: CertificateAuthority): Promise<readonly SourceFinding[]> {
    const key = authorityKey(resource);
    if (resource.trustSources.length === 0) {
      this.forget(key);
      return [];
    }
    const known = this.#ensure(key, resource);
    return known.reads.get(key, () => this.#readAll(resource, known));
  }

  #readAll(resource: CertificateAuthority, known: Known): Promise<readonly SourceFinding[]> {
    const namespace = namespaceOf(resource, this.#services);
    const now = this.#services.clock.now();
    const judge = known.texts.pass();
    return Promise.all(
      resource.trustSources.map(async (source) => {
        const id = placeOf(source);
        const polled = known.polled.get(id);
        if (polled !== undefined) return polled.bundle.read();
        const { configMap } = known.objects;
        const found = await readTrustSource(source, namespace, configMap, known.lastGood.get(id), now, judge);
        if (found.trouble === undefined) known.lastGood.set(id, found);
        return found;
      }),
    );
  }

  forget(key: string): void {
    const known = this.#known.get(key);
    known?.objects.release();
    for (const { stop } of known?.polled.values() ?? []) stop.abort();
    this.#known.delete(key);
  }

  #ensure(key: string, resource: CertificateAuthority): Known {
    const version = `${resource.uid}/${resource.generation}`;
    const before = this.#known.get(key);
    if (before?.version === version) return before;
    const isSame = before?.version.startsWith(`${resource.uid}/`) === true;
    const kept = isSame ? before.kept : new KeptBundles(this.#services, resource);
    kept.follow(resource);
    const places = new Set(resource.trustSources.map(placeOf));
    const known: Known = {
      version,
      kept,
      objects: referencedObjects(namespaceOf(resource, this.#services), this.#services, () => this.#wake(key)),
      lastGood: new Map([...(isSame ? before.lastGood : [])].filter(([id]) => places.has(id))),
      texts: isSame ? before.texts : this.#texts(resource),
      reads: new SharedReads(),
      polled: new Map(),
    };
    for (const source of resource.trustSources) {
      const id = placeOf(source);
      const running = isSame ? before.polled.get(id) : undefined;
      const polled = running ?? this.#poll(key, resource, source, kept);
      if (polled !== undefined) known.polled.set(id, polled);
    }
    before?.objects.release();
    for (const [id, { stop }] of before?.polled ?? []) if (!known.polled.has(id) || !isSame) stop.abort();
    this.#known.set(key, known);
    return known;
  }

  #texts({ kind, namespace }: CertificateAuthority): JudgedTexts {
    return new JudgedTexts(
      kind === 'ClusterCertificateAuthority'
        ? async (_bytes, parse) => parse()
        : (bytes, parse) => this.#bounds.inTurnOfTexts(namespace, bytes, parse),
    );
  }

  #poll(key: string, resource: CertificateAuthority, { name, spiffeBundle }: TrustSource, kept: KeptBundles) {
    if (spiffeBundle === undefined) return undefined;
    const { clock, config, log } = this.#services;
    const stop = new AbortController();
    const { namespace } = resource;
    const clusterWide = resource.kind === 'ClusterCertificateAuthority';
    const rules = authorityAddresses(config);
    const endpoint = new BundleEndpoint(spiffeBundle, {
      clock,
      log,
      rules,
      name: keyOf(resource),
      namespace,
      clusterWide,
    });
    stop.signal.addEventListener('abort', () => this.#bounds.release(namespace, endpoint), { once: true });
    const bundle = new PolledBundle(name, spiffeBundle, {
      clock,
      endpoint: {
        read: (known, signal) => {
          const read = () => endpoint.read(known, signal);
          return clusterWide ? read() : this.#bounds.inTurn(namespace, read);
        },
      },
      admit: (certificates) => {
        if (!clusterWide && !stop.signal.aborted) this.#bounds.admit(namespace, endpoint, certificates);
      },
      load: () => kept.load(name, spiffeBundle),
      keep: (read) => kept.keep(name, spiffeBundle, read),
      changed: (before, after) => {
        const [added, removed] = [missingIn(before, after), missingIn(after, before)];
        log.info('the bundle of a trust source has changed', { authority: key, source: name, added, removed });
      },
      onRead: () => {
        if (!stop.signal.aborted) this.#wake(key);
      },
      signal: stop.signal,
    });
    return { bundle, stop };
  }
}

const MOST_LOGGED = 5;
const LONGEST_NAME = 200;

/** The certificates of `list` that are not in the other one, for people. */
function missingIn(other: readonly CertificateView[], list: readonly CertificateView[]): readonly string[] {
  const known = new Set(other.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  return list
    .filter(({ fingerprintSHA256 }) => !known.has(fingerprintSHA256))
    .slice(0, MOST_LOGGED)
    .map((each) => `${readable(nameOf(each), LONGEST_NAME)} (SHA-256 ${each.fingerprintSHA256})`);
}

/** What is read, without what is done with it. */
function placeOf({ permittedNames: _, ...source }: TrustSource): string {
  return JSON.stringify(source);
}
