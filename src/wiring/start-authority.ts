import { hash } from 'node:crypto';
import { authorityKey, type CertificateAuthority, type RateLimit } from '../api/certificate-authority.ts';
import { CONFIG_MAPS, type Resource, SECRETS } from '../api/names.ts';
import { keyOf, type RawObject } from '../api/parse.ts';
import { Breaker } from '../authority/breaker.ts';
import { type Runtime, signingOf } from '../authority/registry.ts';
import { troubleOf } from '../authority/trouble.ts';
import {
  type Backend,
  type BackendDefinition,
  type BackendDeps,
  NO_TRUST,
  type ReferencedData,
} from '../backends/backend.ts';
import { networkList } from '../backends/http/networks.ts';
import { AuthorityError, DeniedError, RetryableError } from '../errors.ts';
import { MOST_BYTES, type Reference } from '../kube/references.ts';
import { type Call, Turnstile } from '../queue/turnstile.ts';
import { clusterAccess } from './cluster-access.ts';
import { namespaceOf, type Services } from './services.ts';

/** Requests to one remote authority at the same time. */
const ASKED_AT_ONCE = 16;
/** So long a reconcile waits for an object that an authority refers to. */
const LONGEST_READ_MS = 5_000;
const READ_STEP_MS = 100;

/** Makes an authority of its resource. `wake` has it looked at, `call` says to a certificate that it is its turn. */
export function startAuthority(
  resource: CertificateAuthority,
  services: Services,
  wake: () => void,
  call: Call,
): Runtime {
  const { clock, definitions } = services;
  const definition = definitions.find(({ type }) => type === resource.type);
  // The schema admits only what there is a definition for; a test holds the two against each other.
  if (definition === undefined) throw new Error(`no authority of type ${resource.type} is known`);
  const { remote, persistKey, rateLimit: soundRate } = definition.capabilities;
  const rateLimit = resource.rateLimit ?? soundRate;
  const limits = { capacity: remote ? ASKED_AT_ONCE : Number.POSITIVE_INFINITY, rate: rateLimit };
  const turnstile = remote || rateLimit !== undefined ? new Turnstile(limits, clock, call) : undefined;
  const polls = persistKey ? new Turnstile({ ...limits, rate: rateLimit && twice(rateLimit) }, clock, call) : undefined;
  // One that asks nobody else is as its probe finds it, so no certificate has to be tried first.
  const breaker = new Breaker(clock, remote ? turnstile : undefined);
  const references = referencesOf(resource, services, () => {
    breaker.probeNow();
    wake();
  });
  const backend = backendOf(resource, definition, references, services);
  const issue: Backend['issue'] = (request, signal) =>
    timed(() => backend.issue(request, signal), definition.type, services);
  return {
    resource,
    origin: hash('sha256', JSON.stringify([resource.uid, resource.type, resource.backend]), 'base64url').slice(0, 16),
    definition,
    rateLimit,
    turnstile,
    polls,
    breaker,
    backend: {
      ...backend,
      issue: remote ? (...asked) => guarded(() => issue(...asked), asked[1], breaker, wake) : issue,
    },
    release: () => {
      turnstile?.close();
      polls?.close();
      references.release();
    },
    generations: [],
    trusted: NO_TRUST,
    untrusted: [],
    clearSince: new Map(),
    refusals: 0,
    view: undefined,
  };
}

/**
 * The rate of looking for answers. A new request needs one look at least, and old ones that still wait get as many.
 */
function twice({ requests, perMs, burst }: RateLimit): RateLimit {
  return { requests: 2 * requests, perMs, burst: 2 * burst };
}

function backendOf(
  resource: CertificateAuthority,
  definition: BackendDefinition<never>,
  references: Pick<BackendDeps, 'secret' | 'configMap'>,
  services: Services,
) {
  const { client, clock, config, log, registry } = services;
  const generations = () => registry.get(authorityKey(resource))?.generations ?? [];
  return definition.create(resource.backend as never, {
    name: keyOf(resource),
    clusterWide: resource.kind === 'ClusterCertificateAuthority',
    clock,
    log,
    addresses: {
      loopback: config.loopbackAuthorities,
      networks: config.authorityNetworks && networkList(config.authorityNetworks),
    },
    secret: references.secret,
    configMap: references.configMap,
    ...clusterAccess(client, namespaceOf(resource, services)),
    signing: () => {
      const runtime = registry.get(authorityKey(resource));
      return runtime && signingOf(runtime, clock.now());
    },
    trusted: () => generations().map(({ pair }) => pair),
  });
}

/** What an authority refers to in its own namespace, watched from the first time that it is asked for. */
function referencesOf(resource: CertificateAuthority, services: Services, onChange: () => void) {
  const namespace = namespaceOf(resource, services);
  const used = new Map<string, Reference>();
  const unknown = new Set<string>();
  const read = async (kind: Resource, name: string) => {
    const id = `${kind.plural}/${name}`;
    const reference = used.get(id) ?? services.references.acquire(kind, namespace, name, onChange);
    used.set(id, reference);
    try {
      await known(reference, `${kind.kind} ${namespace}/${name}`, services);
    } catch (error) {
      // That there is no such object is no change to the watch, but news to a reader that waited in vain.
      if (!unknown.has(id)) void reference.synced.then(onChange);
      unknown.add(id);
      throw error;
    }
    return reference.get();
  };
  return {
    secret: async (name: string) => {
      const found = await read(SECRETS, name);
      return found && contentOf(found, 'base64');
    },
    configMap: async (name: string) => {
      const found = await read(CONFIG_MAPS, name);
      return found && contentOf(found, 'utf8');
    },
    release: () => {
      for (const reference of used.values()) reference.release();
    },
  };
}

/** Waits until the watch of a reference knows; throws where it doesn't come to know soon. */
async function known(reference: Reference, what: string, { clock }: Services): Promise<void> {
  for (let waitedMs = 0; !reference.known && waitedMs < LONGEST_READ_MS; waitedMs += READ_STEP_MS) {
    if (reference.problem !== undefined) break;
    await Promise.race([reference.synced, clock.sleep(READ_STEP_MS)]);
  }
  if (reference.isLeftOut)
    throw new AuthorityError(
      'NamespaceFull',
      `${what} is not read: the Secrets and ConfigMaps that authorities refer to in its namespace have more than ${MOST_BYTES / 1_048_576} MiB together; delete what is not needed`,
    );
  if (reference.known) return;
  const { problem } = reference;
  if (problem?.status === 403)
    throw new AuthorityError('BackendForbidden', `Certwheel may not read ${what}: ${problem.message}`, {
      cause: problem,
    });
  throw new RetryableError('ApiServerUnavailable', `${what} can't be read: ${problem?.message ?? 'no answer'}`);
}

/** The request of a certificate, whose end tells the breaker how the authority is; `wake` has it looked at where that is news. */
async function guarded<T>(ask: () => Promise<T>, signal: AbortSignal, breaker: Breaker, wake: () => void): Promise<T> {
  try {
    const answer = await ask();
    if (breaker.answered()) wake();
    return answer;
  } catch (thrown) {
    // An abort of our own says nothing about the authority.
    if (signal.aborted) throw thrown;
    if (thrown instanceof AuthorityError) {
      breaker.failed(troubleOf(thrown), thrown.retryAfterMs);
      wake();
    } else if (thrown instanceof DeniedError && breaker.answered()) wake();
    throw thrown;
  }
}

/** Lets metrics know how long the request of a certificate took, however it ended. */
async function timed<T>(ask: () => Promise<T>, type: string, { clock, metrics }: Services): Promise<T> {
  const startedMs = clock.monotonicMs();
  try {
    return await ask();
  } finally {
    metrics.authorityAnswered(type, (clock.monotonicMs() - startedMs) / 1000);
  }
}

function contentOf(object: RawObject, encoding: 'base64' | 'utf8'): ReferencedData {
  return Object.fromEntries(
    Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]),
  );
}
