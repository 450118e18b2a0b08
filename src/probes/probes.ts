import { isDeepStrictEqual } from 'node:util';
import {
  type AnyCertificateAuthority,
  authorityKey,
  type CertificateAuthority,
  isBrokenAuthority,
} from '../api/certificate-authority.ts';
import type { VerifierStatus } from '../api/generated/types.ts';
import type { TrustVerifier } from '../api/verifiers.ts';
import type { Audit } from '../audit/event.ts';
import type { Runtime } from '../authority/runtime.ts';
import type { Clock } from '../clock.ts';
import { classify } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import type { Aside } from '../pki/signer.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { Outcome, Run } from '../queue/controller.ts';
import { type Generation, isInBundle } from '../rotation/generation.ts';
import type { TrustProof } from '../rotation/trust-proof.ts';
import type { Answer } from './answer.ts';
import { ask } from './ask.ts';
import { type EndpointDeps, findEndpoints } from './endpoints.ts';
import { nextRecord, provesSame, type Round, type VerifierRecord } from './record.ts';
import { proofOf, verifierStatus } from './report.ts';
import { askAll, type Subject } from './round.ts';
import { readServerCA } from './server-ca.ts';
import { ServerTrust } from './server-trust.ts';
import { canBeShown, ProbeSubjects, type Signing } from './subjects.ts';

export interface ProbesDeps extends EndpointDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  readonly ownership: Ownership;
  find(authority: string): AnyCertificateAuthority | undefined;
  readonly registry: { current(resource: AnyCertificateAuthority | undefined): Runtime | undefined };
  /** Where an authority's references resolve. */
  namespaceOf(resource: CertificateAuthority): string;
  /** The verifiers of all authorities of a namespace, as keys: more than a namespace may have aren't asked. */
  keysIn(namespace: string): readonly string[];
  /** Makes a signature that takes long when it is the turn of the authority. */
  aside(authority: string, signal: AbortSignal): Aside;
  /** Something that its status says has changed. */
  wakeAuthority(authority: string): void;
  readonly metrics: ProbeMetrics;
}

export interface ProbeMetrics {
  probed(authority: string, verifier: string, certificate: 'genuine' | 'rogue', answer: Answer): void;
  signed(authority: string): void;
  show(authority: string, verifier: string, record: VerifierRecord): void;
  hide(authority: string, verifier: string): void;
}

/** Verifiers of one namespace's CertificateAuthorities together; each costs connections of ours. */
export const MOST_IN_NAMESPACE = 20;
const OFF = 'verifiers are not asked: the controller runs without --probes (probes.enabled in the chart)';
/** However often it is woken. */
const LEAST_PAUSE_MS = 5_000;
const NOT_READY_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** So much of an interval may be less, so that what began together isn't asked together for ever. */
const JITTER = 0.1;

/** Key of the queue: one verifier of one authority. No name has a `#`. */
export function probeKey(authority: string, verifier: string): string {
  return `${authority}#${verifier}`;
}

export function probeKeysOf(resource: AnyCertificateAuthority): string[] {
  if (isBrokenAuthority(resource)) return [];
  return resource.verifiers.map(({ name }) => probeKey(authorityKey(resource), name));
}

/** Asks verifiers, and knows what they answered. */
export class Probes {
  readonly #deps: ProbesDeps;
  readonly #records = new Map<string, VerifierRecord>();
  readonly #askedAtMs = new Map<string, number>();
  readonly #subjects: ProbeSubjects;

  constructor(deps: ProbesDeps) {
    this.#deps = deps;
    this.#subjects = new ProbeSubjects(deps);
  }

  /** What status says of the verifiers of an authority. */
  statusOf(resource: CertificateAuthority): readonly VerifierStatus[] {
    const key = authorityKey(resource);
    const stored = new Map(resource.status.verifiers?.map((each) => [each.name, each]));
    return resource.verifiers.map(({ name }) =>
      verifierStatus(name, this.#records.get(probeKey(key, name)), stored.get(name)),
    );
  }

  /**
   * What the verifiers of an authority prove of the CA with this anchor (SHA-256 of the certificate, hex), one for each. None
   * where no certificate below that anchor can be had to be shown beforehand: others must prove it.
   */
  proofs(authority: string, anchor: string): readonly TrustProof[] {
    const resource = this.#deps.find(authority);
    if (resource === undefined || isBrokenAuthority(resource)) return [];
    const { generations = [], backend } = this.#deps.registry.current(resource) ?? {};
    const canBe = generations.some(
      (each) => each.path.anchor.fingerprintSHA256 === anchor && backend && canBeShown(each, backend),
    );
    if (!canBe) return [];
    return resource.verifiers.flatMap(
      ({ name }) => proofOf(name, this.#records.get(probeKey(authority, name)), anchor, resource.generation) ?? [],
    );
  }

  /** Another replica asks this verifier: what is known would be old when it comes back. */
  leave(key: string): void {
    const [authority = '', name = ''] = key.split('#');
    this.#drop(key);
    this.#deps.metrics.hide(authority, name);
  }

  /** One round of questions to one verifier. */
  async reconcile(key: string, run: Run): Promise<Outcome> {
    const { clock, find, ownership, registry } = this.#deps;
    const [authority = '', name = ''] = key.split('#');
    const resource = find(authority);
    const verifier =
      resource === undefined || isBrokenAuthority(resource)
        ? undefined
        : resource.verifiers.find((each) => each.name === name);
    if (resource === undefined || isBrokenAuthority(resource) || verifier === undefined) {
      this.#forget(key, authority, name);
      return { do: 'rest' };
    }
    const runtime = registry.current(resource);
    if (runtime?.view === undefined) return { do: 'rest', recheckAt: this.#in(NOT_READY_MS) };
    const pauseMs = (this.#askedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) + LEAST_PAUSE_MS - clock.monotonicMs();
    if (pauseMs > 0) return { do: 'rest', recheckAt: this.#in(pauseMs) };
    const refusal = this.#refusal(resource, key);
    ownership.assert(authority);
    // One that is in no ca.crt yet is refused by right.
    const { backend } = runtime;
    const generations = runtime.generations.filter(isInBundle).filter((each) => canBeShown(each, backend));
    const signing = { backend, aside: this.#deps.aside(authority, run.signal), signal: run.signal };
    const { subjects, round } =
      refusal === undefined
        ? await run.releaseWorker(async () => {
            const found = await this.#subjectsOf(key, resource, verifier, generations, signing);
            return 'problem' in found
              ? { subjects: [], round: found }
              : { subjects: found, round: await this.#round(resource, verifier, found, run.signal) };
          })
        : { subjects: [], round: { problem: refusal } };
    run.signal.throwIfAborted();
    const now = find(authority);
    if (now?.uid !== resource.uid || now.generation !== resource.generation) return { do: 'again' };
    this.#askedAtMs.set(key, clock.monotonicMs());
    const record = this.#keep(key, authority, name, { resource, round, subjects });
    // Another authority of the namespace may have given up its place; a flag takes a restart.
    if (refusal !== undefined) return { do: 'rest', recheckAt: this.#in(LONGEST_PAUSE_MS) };
    return { do: 'rest', recheckAt: this.#in(this.#pauseAfter(verifier, record)) };
  }

  #refusal({ kind, namespace }: CertificateAuthority, key: string): string | undefined {
    if (!this.#deps.config.probes) return OFF;
    if (kind !== 'CertificateAuthority') return undefined;
    const isBeyond = !this.#deps.keysIn(namespace).slice(0, MOST_IN_NAMESPACE).includes(key);
    return isBeyond
      ? `it is not asked: namespace ${namespace} has more than ${MOST_IN_NAMESPACE} verifiers`
      : undefined;
  }

  async #subjectsOf(
    key: string,
    resource: CertificateAuthority,
    { name }: TrustVerifier,
    generations: readonly Generation[],
    signing: Signing,
  ): Promise<Subject[] | { readonly problem: string }> {
    try {
      return await this.#subjects.of(key, resource, name, generations, signing);
    } catch (thrown) {
      signing.signal.throwIfAborted();
      return { problem: `it can't be asked: no certificate was to be had: ${classify(thrown).message}` };
    }
  }

  async #round(
    resource: CertificateAuthority,
    verifier: TrustVerifier,
    all: readonly Subject[],
    signal: AbortSignal,
  ): Promise<Round> {
    const subjects = all.filter(({ withoutLeaf }) => withoutLeaf === undefined);
    if (subjects.length === 0) return { results: [] };
    const { clock, client, metrics, namespaceOf } = this.#deps;
    const authority = authorityKey(resource);
    try {
      const found = await findEndpoints(resource, verifier, this.#deps);
      if ('problem' in found) return found;
      const serverCA = await readServerCA(verifier.serverCA, namespaceOf(resource), client);
      if ('problem' in serverCA) return serverCA;
      const { namespace } = resource;
      const serverTrust = new ServerTrust(serverCA.pem);
      const target = { namespace, serverName: found.serverName, serverTrust, protocol: verifier.protocol };
      const results = await askAll(found.endpoints, subjects, target, {
        ask: (question) => ask(question, clock, signal),
        answered: (certificate, answer) => metrics.probed(authority, verifier.name, certificate, answer),
        nowMs: () => clock.monotonicMs(),
      });
      return { results };
    } catch (thrown) {
      // What was proven before must not stand for what can't be asked now.
      return { problem: `it can't be asked: ${classify(thrown).message}` };
    }
  }

  #keep(
    key: string,
    authority: string,
    name: string,
    seen: { resource: CertificateAuthority; round: Round; subjects: Parameters<typeof nextRecord>[2] },
  ): VerifierRecord {
    const { clock, log, metrics, wakeAuthority } = this.#deps;
    const before = this.#records.get(key);
    const record = nextRecord(before, seen.round, seen.subjects, seen.resource.generation, clock.now());
    this.#records.set(key, record);
    metrics.show(authority, name, record);
    if (!isDeepStrictEqual(verifierStatus(name, before), verifierStatus(name, record))) {
      const verdicts = record.generations.map(({ version, verdict }) => `${version} ${verdict}`).join(', ');
      log.info('verifier', {
        authority,
        verifier: name,
        endpoints: record.endpoints,
        verdicts,
        detail: record.message,
      });
    }
    // A proof may have begun without a change that people see.
    if (!provesSame(before, record)) wakeAuthority(authority);
    return record;
  }

  #pauseAfter({ intervalMs }: TrustVerifier, { silentRounds }: VerifierRecord): number {
    const { clock } = this.#deps;
    const jittered = intervalMs * (1 - JITTER * clock.random());
    if (silentRounds < 2) return jittered;
    const limits = { firstMs: intervalMs, longestMs: Math.max(intervalMs, LONGEST_PAUSE_MS) };
    return Math.max(jittered, backoffMs(silentRounds, limits, clock.random()));
  }

  #forget(key: string, authority: string, name: string): void {
    if (this.#drop(key)) this.#deps.wakeAuthority(authority);
    this.#deps.metrics.hide(authority, name);
  }

  /** Whether there was anything known. */
  #drop(key: string): boolean {
    this.#subjects.forget(key);
    this.#askedAtMs.delete(key);
    return this.#records.delete(key);
  }

  #in(ms: number): Date {
    return new Date(this.#deps.clock.now().getTime() + ms);
  }
}
