import { type Decision, parseCertificateApproval } from '../api/certificate-approval.ts';
import {
  type AnyCertificateAuthority,
  authorityKey,
  fallbackKey,
  parseCertificateAuthority,
} from '../api/certificate-authority.ts';
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
import { referredAuthority } from '../certificate/observe.ts';
import { type NextKey, nextName, viewNextKey } from '../certificate/request/next-key.ts';
import { rankOf, secretNamedBy } from '../certificate/rival.ts';
import type { SecretUse } from '../certificate/secret/protection.ts';
import { authorityOf, isView, recordOfView, recordSecret, type SecretKept } from '../certificate/secret/record.ts';
import { provenView, type SecretView, viewOnArrival } from '../certificate/secret/view.ts';
import type { Config } from '../config.ts';
import { Cache } from '../kube/cache/cache.ts';
import type { Share } from '../kube/cache/namespace-share.ts';
import type { WatchDeps } from '../kube/watch.ts';
import type { WatchStats } from '../kube/watch-record.ts';
import type { DecisionsOn } from '../policy/permission.ts';
import { Places } from '../policy/places.ts';
import { Buckets } from '../queue/bucket.ts';
import { type GenerationSecret, viewGenerationSecret } from '../rotation/generation-secret.ts';
import { sharesOf } from './namespace-shares.ts';
import { refuseUnserved } from './refuse-unserved.ts';
import { Watches } from './watches.ts';

/** Secrets of one namespace that no ClientCertificate names and that take long to prove: so many at once, then one a second. */
const DEAR_RECORDS = { capacity: 200, refillMs: 1_000 };

/** The labels of a namespace. */
export type NamespaceLabels = Readonly<Record<string, string>>;

/** Everything that is watched, reduced to what is asked for. */
export class Cluster {
  readonly certificates: Cache<ClientCertificate | BrokenClientCertificate, 'secret' | 'authority' | 'clusterUsers'>;
  readonly authorities: Cache<AnyCertificateAuthority, 'secret' | 'fallback'>;
  readonly clusterAuthorities: Cache<AnyCertificateAuthority, 'secret' | 'fallback'>;
  /** Secrets that carry the label of certificates: a view of those that a ClientCertificate names, and little of the others. */
  readonly secrets: Cache<SecretKept, 'authority'>;
  /** Secrets that keep the keys of requests under way, by the certificate that waits. */
  readonly nextKeys: Cache<NextKey>;
  /** Secrets that carry the label of CA generations. */
  readonly generations: Cache<GenerationSecret, 'authority'>;
  /** Those that can't count are undefined. */
  readonly approvals: Cache<Decision | undefined, 'certificate'>;
  readonly namespaces = new Cache<NamespaceLabels>({ reduce: labelsOf });
  /** Which certificates have a place under rules with `maxCertificates`. */
  readonly places = new Places({
    authority: (key) => this.authority(key),
    labels: (namespace) => this.namespaces.get(namespace),
    certificate: (key) => this.certificates.get(key),
    certificates: (authority, namespace) => this.#membersIn(namespace, authority),
  });
  readonly #controllerNamespace: string;
  readonly #watches: Watches;
  /** Namespaces of whose Secrets views are kept. */
  #keepsViews: (namespace: string) => boolean = () => true;

  constructor(config: Config, deps: WatchDeps) {
    this.#controllerNamespace = config.controllerNamespace;
    this.#watches = new Watches(deps);
    const shares = sharesOf(config);
    const dearRecords = new Buckets(DEAR_RECORDS);
    this.certificates = new Cache({
      reduce: parseClientCertificate,
      indexes: {
        secret: (each) => [secretNamedBy(each)].filter((key) => key !== undefined),
        authority: (each) => (isBroken(each) ? [] : [shared(referredAuthority(each))]),
        // Those whose right to their authority depends on the labels of their namespace.
        clusterUsers: (each) =>
          isBroken(each) || each.spec.authorityRef.kind === 'CertificateAuthority' ? [] : [each.namespace],
      },
      ranks: { secret: rankOf },
      share: shares.certificates,
    });
    const authoritiesOf = (kind: AuthorityKind, share?: Share<AnyCertificateAuthority>) =>
      new Cache<AnyCertificateAuthority, 'secret' | 'fallback'>({
        reduce: (object) => refuseUnserved(parseCertificateAuthority(kind, object), config),
        indexes: {
          secret: (each) => this.secretsNamedBy(each),
          fallback: (each) => [fallbackKey(each)].filter((key) => key !== undefined),
        },
        share,
      });
    this.authorities = authoritiesOf('CertificateAuthority', shares.authorities);
    this.clusterAuthorities = authoritiesOf('ClusterCertificateAuthority');
    this.secrets = new Cache<SecretKept, 'authority'>({
      reduce: (object) => {
        const { namespace = '' } = object.metadata ?? {};
        if (this.#isNamed(object)) {
          const view = viewOnArrival(object);
          return this.#keepsViews(namespace) ? view : recordOfView(view);
        }
        return recordSecret(object, () => dearRecords.take(namespace, deps.clock.monotonicMs()) === 0);
      },
      indexes: { authority: authorityKeysOf },
      share: shares.secrets,
    });
    this.nextKeys = new Cache({ reduce: viewNextKey, share: shares.nextKeys });
    this.generations = new Cache({
      reduce: (object) => viewGenerationSecret(object, config.controllerNamespace),
      indexes: { authority: (each) => [each.authority] },
      share: shares.generations,
    });
    this.approvals = new Cache({
      reduce: parseCertificateApproval,
      indexes: { certificate: (each) => (each === undefined ? [] : [each.certificateUid]) },
      share: shares.approvals,
    });
    this.certificates.onChange((_key, before, after) => {
      const [former, present] = [before && secretNamedBy(before), after && secretNamedBy(after)];
      if (former !== undefined && former !== present) this.#forgetView(former);
    });
    const { namespaces, clusterAuthorities, controllerNamespace } = config;
    const secretsOf = (namespace: string | undefined, labelSelector: string) => ({
      resource: names.SECRETS,
      namespace,
      labelSelector,
    });
    // Where the CA generations of the cluster kind are.
    if (clusterAuthorities && namespaces !== undefined && !namespaces.includes(controllerNamespace))
      this.#watches.add({ ...secretsOf(controllerNamespace, names.AUTHORITY_NAME_LABEL), cache: this.generations });
    // Who sees an authority before its CA makes it another one, who sees a certificate before its authority says that there
    // is none; and what is kept of a Secret depends on the certificate that names it.
    for (const namespace of namespaces ?? [undefined]) {
      this.#watches.add({ ...secretsOf(namespace, names.AUTHORITY_NAME_LABEL), cache: this.generations });
      this.#watches.add({ resource: names.CERTIFICATE_AUTHORITIES, namespace, cache: this.authorities });
      const after = this.#watches.add({
        resource: names.CLIENT_CERTIFICATES,
        namespace,
        cache: this.certificates,
      });
      if (config.approvals)
        this.#watches.add({ resource: names.CERTIFICATE_APPROVALS, namespace, cache: this.approvals });
      this.#watches.add({ ...secretsOf(namespace, names.CERTIFICATE_NAME_LABEL), cache: this.secrets }, after);
      this.#watches.add({ ...secretsOf(namespace, names.NEXT_OF_LABEL), cache: this.nextKeys }, after);
    }
    if (clusterAuthorities)
      this.#watches.add({ resource: names.CLUSTER_CERTIFICATE_AUTHORITIES, cache: this.clusterAuthorities });
    if (namespaces === undefined) this.#watches.add({ resource: names.NAMESPACES, cache: this.namespaces });
  }

  /** The Secret of that key, if a ClientCertificate names it and its namespace has room for it; possibly not proven yet. */
  secretOnArrival(key: string): SecretView | undefined {
    const kept = this.secrets.get(key);
    return isView(kept) ? kept : undefined;
  }

  /** The same, proven: once for each version of the Secret. */
  secret(key: string): SecretView | undefined {
    const kept = this.secretOnArrival(key);
    return kept && this.proven(kept);
  }

  proven<Kept extends SecretKept>(kept: Kept): Kept | SecretView {
    if (!isView(kept) || kept.isProven) return kept;
    const proven = provenView(kept);
    this.secrets.revise(keyOf(kept), kept.resourceVersion, proven);
    return proven;
  }

  /** Keeps a view of a Secret that was read past the cache: it came before the certificate that names it. */
  keepView(view: SecretView): void {
    if (this.secretOnArrival(keyOf(view)) === undefined) this.secrets.revise(keyOf(view), view.resourceVersion, view);
  }

  /** From now on views are kept in these namespaces alone; see dropViews for those that are there. */
  keepViewsIn(keepsViews: (namespace: string) => boolean): void {
    this.#keepsViews = keepsViews;
  }

  /** See Watches. */
  start(signal: AbortSignal, late: ReadonlySet<string> = new Set()): void {
    this.#watches.start(signal, late);
  }

  synced(): Promise<void> {
    return this.#watches.synced();
  }

  get isSynced(): boolean {
    return this.#watches.isSynced;
  }

  stats(): Generator<readonly [string, WatchStats]> {
    return this.#watches.stats();
  }

  /** Whether a watch that the start waited for is behind the API server. */
  get isAnyBehind(): boolean {
    return this.#watches.isAnyBehind;
  }

  /** Whether what is kept of a resource, in a namespace, may be older than what the API server holds. */
  isBehind(resource: names.Resource, namespace?: string): boolean {
    return this.#watches.isBehind(resource, namespace);
  }

  authority(key: string): AnyCertificateAuthority | undefined {
    const [kind, ...rest] = key.split('/');
    return (kind === 'CertificateAuthority' ? this.authorities : this.clusterAuthorities).get(rest.join('/'));
  }

  /** The key of the fallback of the authority of that key; undefined for none. */
  fallbackOf(key: string): string | undefined {
    const resource = this.authority(key);
    return resource && fallbackKey(resource);
  }

  /** The authorities that name the authority of that key as their fallback. */
  primariesOf(key: string): readonly AnyCertificateAuthority[] {
    const isNamespaced = key.startsWith('CertificateAuthority/');
    return (isNamespaced ? this.authorities : this.clusterAuthorities).byIndex('fallback', key);
  }

  /** The key of an authority, and those of the authorities whose fallback it is: what it has issued refers to any of them. */
  withPrimaries(key: string): string[] {
    return [key, ...this.primariesOf(key).map(authorityKey)];
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

  /** The request under way of a ClientCertificate of that key, `namespace/name`. */
  nextKey(key: string): NextKey | undefined {
    const found = this.nextKeys.get(nextName(key));
    return found?.certificateName === '' ? undefined : found;
  }

  /** See DecisionsOn. */
  decisionsOn({ namespace, uid }: Pick<ClientCertificate, 'namespace' | 'uid'>): ReturnType<DecisionsOn> {
    if (!this.approvals.isComplete(namespace)) return 'leftOut';
    return this.approvals.byIndex('certificate', uid).filter((each) => each !== undefined);
  }

  /** The certificates that refer to an authority. */
  membersOf(authority: string): ClientCertificate[] {
    return this.certificates
      .byIndex('authority', authority)
      .filter((each): each is ClientCertificate => !isBroken(each));
  }

  /** Those of one namespace, without a pass over all namespaces. */
  #membersIn(namespace: string, authority: string): ClientCertificate[] {
    if (authority.startsWith('CertificateAuthority/')) return this.membersOf(authority);
    return this.certificates
      .byIndex('clusterUsers', namespace)
      .filter((each): each is ClientCertificate => !isBroken(each) && referredAuthority(each) === authority);
  }

  #isNamed({ metadata: { namespace = '', name = '' } = {} }: RawObject): boolean {
    return this.certificates.isIndexed('secret', keyOf({ namespace, name }));
  }

  /** A Secret that no certificate names any more needs no view. */
  #forgetView(key: string): void {
    const kept = this.secrets.get(key);
    if (isView(kept) && !this.certificates.isIndexed('secret', key))
      this.secrets.revise(key, kept.resourceVersion, recordOfView(kept));
  }
}

function authorityKeysOf(kept: SecretKept): string[] {
  return [authorityOf(kept)].filter((key) => key !== undefined);
}

function labelsOf(object: RawObject): NamespaceLabels {
  return object.metadata?.labels ?? {};
}
