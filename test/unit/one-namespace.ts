import type { RawObject } from '../../src/api/parse.ts';
import { Registry } from '../../src/authority/registry.ts';
import { parseCommandLine } from '../../src/config.ts';
import { ALL_NAMESPACES } from '../../src/kube/cache/entry.ts';
import { undivided } from '../../src/ownership.ts';
import { BooksKey } from '../../src/revocation/books-key.ts';
import { KnownCrls } from '../../src/revocation/crl/known-crls.ts';
import { wireCertificates } from '../../src/wiring/certificates.ts';
import { Cluster } from '../../src/wiring/cluster.ts';
import { wireLedgers } from '../../src/wiring/ledgers.ts';
import { wireRevocations } from '../../src/wiring/revocations.ts';
import type { Services } from '../../src/wiring/services.ts';
import { wireWakes } from '../../src/wiring/wakes.ts';
import { aCertificate, NOW } from './builders.ts';
import { object as clientSecret } from './client-secret.ts';
import { FakeClock } from './fake-clock.ts';

/** The controller of ClientCertificates with caches that a test fills, and a fake API server that records its requests. */
export interface OneNamespace {
  readonly clock: FakeClock;
  readonly cluster: Cluster;
  /** `GET secrets/name` or `status of name`, in order. */
  readonly requests: string[];
  /** The number of reconcile runs. */
  runs(): number;
  /** Stores a ClientCertificate that names the Secret `common-tls`, so many seconds younger than the first. */
  certificate(name: string, youngerBySeconds: number, spec?: object): RawObject;
  deleteCertificate(object: RawObject): void;
  /** Stores the Secret `common-tls` with the marks of a ClientCertificate. */
  secret(owner: string): void;
  secretVersion(): string;
  deleteSecret(): void;
  /** The condition Ready of a ClientCertificate, as text. */
  ready(name: string): string;
  stop(): Promise<void>;
}

const NAMESPACE = 'team';
const SECRET = 'common-tls';

export function oneNamespace(): OneNamespace {
  const clock = new FakeClock(NOW);
  const giveBack = clock.takeTimers();
  const requests: string[] = [];
  const statuses = new Map<string, string>();
  const stored = new Map<string, RawObject>();
  let secret: RawObject | undefined;
  let version = 100;
  let runs = 0;
  const next = () => String(++version);
  const client = {
    get: async (_resource: unknown, _namespace: string, name: string) => {
      requests.push(`GET secrets/${name}`);
      return secret;
    },
    list: async () => ({ items: [] }),
    apply: async (_resource: unknown, { metadata, status }: { metadata: { name: string }; status: ReadyStatus }) => {
      requests.push(`status of ${metadata.name}`);
      const ready = status.conditions.find(({ type }) => type === 'Ready');
      statuses.set(metadata.name, `${ready?.reason}: ${ready?.message}`);
      const before = stored.get(metadata.name);
      const after = { ...before, metadata: { ...before?.metadata, resourceVersion: next() }, status };
      stored.set(metadata.name, after);
      return structuredClone(after);
    },
  };
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const command = parseCommandLine([], {}, false);
  if ('print' in command) throw new Error('no configuration');
  const { config } = command;
  const cluster = new Cluster(config, { client: client as never, clock, logger: silent });
  const services = {
    config,
    clock,
    log: silent,
    client,
    cluster,
    registry: new Registry(),
    events: { record: () => {} },
    references: { acquire: () => ({ synced: new Promise(() => {}), get: () => undefined, release: () => {} }) },
    booksKey: new BooksKey(),
    metrics: {
      ran: () => void runs++,
      rotated: () => {},
      issuedByRule: () => {},
      fallbackIssued: () => {},
      failed: () => {},
      certificates: { show: () => {}, hide: () => {} },
    },
    sharding: undivided(() => {}),
    ownership: { assert: () => {} },
  } as unknown as Services;
  const { controller, forget } = wireCertificates(
    services,
    wireRevocations(services, new KnownCrls(() => {}), {
      authority: () => {},
      certificate: () => {},
      members: () => {},
    }),
  );
  const authorities = { add: () => {} } as never;
  wireWakes({
    ...services,
    certificates: controller.queue,
    authorities,
    ledgers: wireLedgers(services),
    onGone: forget,
  });
  controller.start();
  return {
    clock,
    cluster,
    requests,
    runs: () => runs,
    certificate: (name, youngerBySeconds, spec = {}) => {
      const creationTimestamp = `${new Date(NOW.getTime() + youngerBySeconds * 1_000).toISOString().slice(0, 19)}Z`;
      const metadata = { name, uid: `uid of ${name}`, resourceVersion: next(), creationTimestamp };
      const { raw } = aCertificate({ secretName: SECRET, ...spec }).with(metadata);
      stored.set(name, raw);
      cluster.certificates.upsert(ALL_NAMESPACES, structuredClone(raw));
      return raw;
    },
    deleteCertificate: ({ metadata }) => {
      stored.delete(metadata?.name ?? '');
      cluster.certificates.remove(ALL_NAMESPACES, { metadata: { ...metadata, resourceVersion: next() } });
    },
    secret: (owner) => {
      const metadata = {
        ...clientSecret.metadata,
        namespace: NAMESPACE,
        name: SECRET,
        uid: 'uid of the Secret',
        resourceVersion: next(),
        labels: { 'certwheel.io/certificate-name': owner },
        annotations: { ...clientSecret.metadata?.annotations, 'certwheel.io/certificate-uid': `uid of ${owner}` },
      };
      secret = { ...clientSecret, metadata };
      cluster.secrets.upsert(ALL_NAMESPACES, secret);
    },
    secretVersion: () => secret?.metadata?.resourceVersion ?? '',
    deleteSecret: () => {
      cluster.secrets.remove(ALL_NAMESPACES, {
        metadata: { namespace: NAMESPACE, name: SECRET, resourceVersion: next() },
      });
      secret = undefined;
    },
    ready: (name) => statuses.get(name) ?? '',
    stop: async () => {
      const stopped = controller.stop(0);
      await clock.advance(1);
      await stopped;
      giveBack();
    },
  };
}

interface ReadyStatus {
  readonly conditions: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
}
