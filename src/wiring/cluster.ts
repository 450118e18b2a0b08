import { type AnyCertificateAuthority, authorityKey, parseCertificateAuthority } from '../api/certificate-authority.ts';
import {
  type AuthorityKind,
  type BrokenClientCertificate,
  type ClientCertificate,
  isBroken,
  parseClientCertificate,
} from '../api/client-certificate.ts';
import * as names from '../api/names.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import { shared } from '../api/shared.ts';
import { type GenerationSecret, viewGenerationSecret } from '../authority/generation-secret.ts';
import { type NextKey, nextName, viewNextKey } from '../certificate/next-key.ts';
import { referredAuthority, secretKeyOf } from '../certificate/observe.ts';
import type { SecretUse } from '../certificate/protection.ts';
import { type SecretView, viewSecret } from '../certificate/secret-view.ts';
import type { Config } from '../config.ts';
import { Cache } from '../kube/cache.ts';
import { Watch, type WatchDeps, type WatchSpec, type WatchStats } from '../kube/watch.ts';
import { refuseUnserved } from './served.ts';

/** The labels of a namespace. */
export type NamespaceLabels = Readonly<Record<string, string>>;

interface Watched {
  readonly name: string;
  /** Undefined for all. */
  readonly namespace: string | undefined;
  readonly watch: Pick<Watch<unknown>, 'run' | 'synced' | 'stats'>;
}

/** Everything that is watched, reduced to what is asked for. */
export class Cluster {
  readonly certificates = new Cache<
    ClientCertificate | BrokenClientCertificate,
    'secret' | 'authority' | 'clusterUsers'
  >({
    reduce: parseClientCertificate,
    indexes: {
      secret: (each) => secretNamedBy(each),
      authority: (each) => (isBroken(each) ? [] : [shared(referredAuthority(each))]),
      // Those whose right to their authority depends on the labels of their namespace.
      clusterUsers: (each) =>
        isBroken(each) || each.spec.authorityRef.kind === 'CertificateAuthority' ? [] : [each.namespace],
    },
  });
  readonly authorities: Cache<AnyCertificateAuthority, 'secret'>;
  readonly clusterAuthorities: Cache<AnyCertificateAuthority, 'secret'>;
  /** Secrets that carry the label of certificates. */
  readonly secrets = new Cache<SecretView>({ reduce: viewSecret });
  /** Secrets that keep the keys of requests under way, by the certificate that waits. */
  readonly nextKeys = new Cache<NextKey>({ reduce: viewNextKey });
  /** Secrets that carry the label of CA generations. */
  readonly generations: Cache<GenerationSecret, 'authority'>;
  readonly namespaces = new Cache<NamespaceLabels>({ reduce: labelsOf });
  readonly #controllerNamespace: string;
  readonly #watches: Watched[] = [];
  /** Namespaces that could not be read at the start: nobody waits for them. */
  #late: ReadonlySet<string> = new Set();

  constructor(config: Config, deps: WatchDeps) {
    this.#controllerNamespace = config.controllerNamespace;
    const authoritiesOf = (kind: AuthorityKind) =>
      new Cache<AnyCertificateAuthority, 'secret'>({
        reduce: (object) => refuseUnserved(parseCertificateAuthority(kind, object), config),
        indexes: { secret: (each) => this.secretsNamedBy(each) },
      });
    this.authorities = authoritiesOf('CertificateAuthority');
    this.clusterAuthorities = authoritiesOf('ClusterCertificateAuthority');
    this.generations = new Cache({
      reduce: (object) => viewGenerationSecret(object, config.controllerNamespace),
      indexes: { authority: (each) => [each.authority] },
    });
    const { namespaces, clusterAuthorities, controllerNamespace } = config;
    // Where the CA generations of the cluster kind are.
    if (clusterAuthorities && namespaces !== undefined && !namespaces.includes(controllerNamespace))
      this.#watch(deps, {
        resource: names.SECRETS,
        namespace: controllerNamespace,
        labelSelector: names.AUTHORITY_NAME_LABEL,
        cache: this.generations,
      });
    for (const namespace of namespaces ?? [undefined]) {
      this.#watch(deps, {
        resource: names.SECRETS,
        namespace,
        labelSelector: names.CERTIFICATE_NAME_LABEL,
        cache: this.secrets,
      });
      this.#watch(deps, {
        resource: names.SECRETS,
        namespace,
        labelSelector: names.AUTHORITY_NAME_LABEL,
        cache: this.generations,
      });
      this.#watch(deps, { resource: names.CERTIFICATE_AUTHORITIES, namespace, cache: this.authorities });
      this.#watch(deps, { resource: names.CLIENT_CERTIFICATES, namespace, cache: this.certificates });
      // Last: before its certificate is known, a request would look like one that nobody waits for.
      this.#watch(deps, {
        resource: names.SECRETS,
        namespace,
        labelSelector: names.NEXT_OF_LABEL,
        cache: this.nextKeys,
      });
    }
    if (clusterAuthorities)
      this.#watch(deps, { resource: names.CLUSTER_CERTIFICATE_AUTHORITIES, cache: this.clusterAuthorities });
    if (namespaces === undefined) this.#watch(deps, { resource: names.NAMESPACES, cache: this.namespaces });
  }

  /** Begins all watches; they end with the signal. Namespaces in `late` may become readable later, or never. */
  start(signal: AbortSignal, late: ReadonlySet<string> = new Set()): void {
    this.#late = late;
    for (const { watch } of this.#punctual()) void watch.run(signal);
    for (const namespace of late) void this.#startLate(namespace, signal);
  }

  /** Resolves when every cache has been filled once. */
  async synced(): Promise<void> {
    await Promise.all(this.#punctual().map(({ watch }) => watch.synced));
  }

  get isSynced(): boolean {
    return this.#punctual().every(({ watch }) => watch.stats.synced);
  }

  *stats(): Generator<readonly [string, WatchStats]> {
    for (const { name, watch } of this.#watches) yield [name, watch.stats];
  }

  authority(key: string): AnyCertificateAuthority | undefined {
    const [kind, ...rest] = key.split('/');
    return (kind === 'CertificateAuthority' ? this.authorities : this.clusterAuthorities).get(rest.join('/'));
  }

  /** The keys of the Secrets that an authority names: of its own namespace, or of the controller's. */
  secretsNamedBy({ kind, namespace, secrets }: AnyCertificateAuthority): string[] {
    const place = kind === 'CertificateAuthority' ? namespace : this.#controllerNamespace;
    return secrets.map(({ name }) => keyOf({ namespace: place, name }));
  }

  /** What the authorities of either kind use the Secret of that key for. */
  usesOf(secret: string): SecretUse[] {
    const name = secret.slice(secret.indexOf('/') + 1);
    return [this.authorities, this.clusterAuthorities]
      .flatMap((cache) => cache.byIndex('secret', secret))
      .flatMap(({ kind, name: authority, secrets }) =>
        secrets.filter((each) => each.name === name).map(({ field }) => ({ authority: `${kind} ${authority}`, field })),
      );
  }

  *authorityKeys(): Generator<string> {
    for (const cache of [this.authorities, this.clusterAuthorities])
      for (const each of cache.values()) yield authorityKey(each);
  }

  /** The request under way of a ClientCertificate of that key, `namespace/name`. */
  nextKey(key: string): NextKey | undefined {
    const found = this.nextKeys.get(nextName(key));
    return found?.certificateName === '' ? undefined : found;
  }

  /** The certificates that refer to an authority. */
  membersOf(authority: string): ClientCertificate[] {
    return this.certificates
      .byIndex('authority', authority)
      .filter((each): each is ClientCertificate => !isBroken(each));
  }

  /**
   * One watch after the other, since work goes on meanwhile: who sees an authority before its CA makes it another one,
   * who sees a certificate before its authority says that there is none.
   */
  async #startLate(namespace: string, signal: AbortSignal): Promise<void> {
    for (const { watch } of this.#watches.filter((each) => each.namespace === namespace)) {
      void watch.run(signal);
      await watch.synced;
    }
  }

  #punctual(): Watched[] {
    return this.#watches.filter(({ namespace }) => namespace === undefined || !this.#late.has(namespace));
  }

  #watch<T>(deps: WatchDeps, spec: WatchSpec<T>): void {
    const label = spec.labelSelector === undefined ? '' : `/${spec.labelSelector.split('/')[1]}`;
    this.#watches.push({
      namespace: spec.namespace,
      name: `${spec.namespace === undefined ? '' : `${spec.namespace}/`}${spec.resource.plural}${label}`,
      watch: new Watch<T>(deps, spec),
    });
  }
}

/** One that is broken may hold its Secret still. */
function secretNamedBy(resource: ClientCertificate | BrokenClientCertificate): string[] {
  if (!isBroken(resource)) return [secretKeyOf(resource)];
  const { namespace, secretName } = resource;
  return secretName === undefined ? [] : [keyOf({ namespace, name: secretName })];
}

function labelsOf(object: RawObject): NamespaceLabels {
  return object.metadata?.labels ?? {};
}
