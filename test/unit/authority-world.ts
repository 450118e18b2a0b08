/** Fakes of the API server and of the source of CA pairs: real ones can't be made to fail between any two lines. */

import {
  type AnyCertificateAuthority,
  authorityConditions,
  type CertificateAuthority,
  parseCertificateAuthority,
} from '../../src/api/certificate-authority.ts';
import type { AuthorityStatus } from '../../src/api/generated/types.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { AuthorityDeps } from '../../src/authority/deps.ts';
import { reconcileAuthority } from '../../src/authority/reconcile.ts';
import { Registry } from '../../src/authority/registry.ts';
import type { Runtime } from '../../src/authority/runtime.ts';
import { type Backend, type BackendDefinition, NO_TRUST } from '../../src/backends/backend.ts';
import { secret } from '../../src/backends/secret.ts';
import { OWN_CA_CAPABILITIES, ownCA } from '../../src/backends/shared/own-ca.ts';
import { ApiError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { CaPair } from '../../src/pki/ca.ts';
import type { Outcome } from '../../src/queue/controller.ts';
import { isInBundle, signingGeneration } from '../../src/rotation/generation.ts';
import type { Member } from '../../src/rotation/plan-types.ts';
import { pairOf, root } from '../pki/make.ts';
import { aRuntime } from './a-runtime.ts';
import { bareAuthorityDeps } from './bare-authority-deps.ts';
import { after, DAY, MINUTE, NOW, RUN } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import { GenerationStore } from './generation-store.ts';
import { Journal } from './journal.ts';
import { Told } from './told.ts';

export const KEY = 'CertificateAuthority/ns/ca';
const LIFE = { notBefore: after(-DAY), notAfter: after(400 * DAY) };
export const stored = pairOf(await root({ commonName: 'Stored', ...LIFE }));
export const another = pairOf(await root({ commonName: 'Another', ...LIFE }));
/** The CA that a remote authority states as its trust. */
export const elsewhere = await root({ commonName: 'Elsewhere', ...LIFE });

const metadata = { namespace: 'ns', name: 'ca', uid: 'uid', resourceVersion: '1', generation: 1 };
export const SECRET: RawObject = { metadata, spec: { secret: { name: 'pair' }, caRotation: { retireAfter: '0s' } } };

/** One authority, its CA generations and a certificate of it. `restart` forgets all that was in memory. */
export class AuthorityWorld {
  readonly clock = new FakeClock(NOW);
  readonly journal = new Journal();
  readonly told = new Told();
  readonly generations = new GenerationStore(this.journal, this.clock);
  /** The CA pair that its source has. */
  wanted: CaPair = stored;
  /** The CA certificates that a remote authority states as its trust. */
  anchors = [elsewhere.certificate];
  /** Whether it states them with each certificate, and at no other moment. */
  isStatedWithAnswers = false;
  /** The certificates of the authority, as its CA rotation counts them. */
  members: Member[] = [];
  resource: AnyCertificateAuthority;
  isGone = false;
  /** What the watch has not brought yet, and a read of the authority does. */
  onRead: () => void = () => {};
  /** The status that was written last. */
  status: AuthorityStatus = {};
  deps: AuthorityDeps;
  readonly #raw: RawObject;
  readonly #isRemote: boolean;
  #version = 1;

  constructor({ raw = SECRET, isRemote = false }: { raw?: RawObject; isRemote?: boolean } = {}) {
    this.#raw = structuredClone(raw);
    this.#isRemote = isRemote;
    this.resource = parseCertificateAuthority('CertificateAuthority', structuredClone(raw));
    this.deps = this.#fresh();
  }

  get runtime(): Runtime | undefined {
    return this.deps.registry.get(KEY);
  }

  /** The condition of that type, as `Status Reason`. */
  condition(type: string): string | undefined {
    const found = authorityConditions(this.resource.status).find((each) => each.type === type);
    return found && `${found.status} ${found.reason}`;
  }

  /** What a person changes of the authority. */
  edit({ annotations, caRotation }: { annotations?: Record<string, string>; caRotation?: object }): void {
    const { metadata, spec } = this.#raw;
    const generation = (metadata?.generation ?? 0) + (caRotation === undefined ? 0 : 1);
    Object.assign(this.#raw, {
      metadata: { ...metadata, generation, annotations: { ...metadata?.annotations, ...annotations } },
      spec: { ...(spec as object), ...(caRotation && { caRotation }) },
    });
    this.#store(this.resource, this.status);
  }

  restart(): void {
    this.journal.revive();
    this.deps = this.#fresh();
  }

  /** One reconcile run. Returns the error where the run throws. */
  async run(): Promise<Outcome | Error> {
    const outcome = await reconcileAuthority(KEY, this.deps, RUN).catch((error: Error) => error);
    this.told.say(outcome);
    return outcome;
  }

  /**
   * Renews the certificate with the CA that signs now, and writes the trust bundle of now. Returns whether another one is
   * written, which wakes the authority.
   */
  follow(): boolean {
    const { view } = this.runtime ?? {};
    if (view?.signing === undefined) return false;
    const [before] = this.members;
    const { fingerprintSHA256 } = view.signing;
    const notAfter = after(DAY, this.clock.now());
    const anchorFingerprints = [...view.trust.anchors.keys()];
    const trustBundleHash = view.trust.hash;
    this.members = [
      {
        key: 'ns/client',
        namespace: 'ns',
        issuerFingerprint: fingerprintSHA256,
        anchorFingerprints,
        trustBundleHash,
        notAfter,
      },
    ];
    return before?.trustBundleHash !== trustBundleHash || before.issuerFingerprint !== fingerprintSHA256;
  }

  /** Reconciles as the controller would, the certificate too, until nothing is due soon or the process is dead. */
  async settle(): Promise<Outcome | Error> {
    for (let round = 0; round < 40; round++) {
      const outcome = await this.run();
      if (this.journal.isDead) return outcome;
      const isWoken = this.follow();
      if (!isWoken && !(outcome instanceof Error) && outcome.do === 'rest') {
        const inMs = (outcome.recheckAt ?? after(DAY, this.clock.now())).getTime() - this.clock.now().getTime();
        if (inMs > 10 * MINUTE) return outcome;
        await this.clock.advance(Math.max(1, inMs));
      } else await this.clock.advance(1_000);
    }
    throw new Error(`the reconcile never settles: ${this.journal.lines.join(', ')}`);
  }

  #log(): Logger {
    const line = (message: string, fields = {}) => this.told.say(message, fields);
    return { debug: line, info: line, warn: line, error: line };
  }

  #backend(): Backend {
    const { clock, journal, told } = this;
    told.keep(stored.signer.reference.pem);
    told.keep(another.signer.reference.pem);
    if (this.#isRemote)
      return {
        trust: async () =>
          this.isStatedWithAnswers
            ? { ...NO_TRUST, isStatedWithAnswers: true }
            : { anchors: this.anchors, intermediates: [] },
        check: () => journal.effect('checked', () => {}),
        issue: () => Promise.reject(new Error('nothing is issued here')),
      };
    const own = ownCA({
      name: 'ns/ca',
      clock,
      log: this.#log(),
      signing: () => signingGeneration(this.runtime?.generations ?? [], clock.now()),
      trusted: () => (this.runtime?.generations ?? []).filter(isInBundle).map(({ path }) => path),
    });
    return { ...own, keyPair: () => journal.read('read source', () => this.wanted) };
  }

  #fresh(): AuthorityDeps {
    const { clock, journal, generations, told } = this;
    const definition = {
      ...secret,
      type: this.#isRemote ? 'stepCA' : secret.type,
      capabilities: { ...OWN_CA_CAPABILITIES, remote: this.#isRemote },
    } as BackendDefinition<never>;
    const backend = this.#backend();
    return {
      clock,
      log: this.#log(),
      registry: new Registry(),
      slowWork: { run: (_key, _deadline, work) => work() },
      find: () => (this.isGone ? undefined : this.resource),
      start: (resource) => aRuntime({ resource, definition, backend, clock }),
      generationSecrets: () => generations.secrets(),
      members: () => this.members,
      consumers: () => [],
      proofs: () => [],
      controllerNamespace: 'certwheel',
      trustStatus: () => undefined,
      crlCondition: () => [],
      crlProofs: () => [],
      createGeneration: (_resource, generation, beside) => generations.create(generation, beside),
      writeGeneration: (_resource, generation, beside) => generations.write(generation, beside),
      deleteGeneration: (generation) => generations.delete(generation),
      writeStatus: (resource, status) =>
        journal.effect('status', () => {
          told.say(status);
          this.#store(resource, status);
        }),
      recordEvent: (_resource, event) => {
        told.say(event);
        journal.note(`event ${event.reason}`);
      },
      ...bareAuthorityDeps(),
      readAuthority: async () => this.onRead(),
      wakeCertificates: () => journal.note('woken'),
      wakeReleased: (keys) => {
        for (const key of keys) journal.note(`released ${key}`);
      },
      metrics: {
        showRotation: () => {},
        showRevocations: () => {},
        overruled: (_resource, to) => journal.note(`overruled ${to}`),
        show: (_resource, isReady) => journal.note(isReady ? 'shown ready' : 'shown not ready'),
        showDemand: () => {},
        showFallback: () => {},
        hide: () => journal.note('hidden'),
      },
      ownership: { assert: () => journal.step('leading') },
      trustPropagationMs: MINUTE,
    };
  }

  #store(resource: AnyCertificateAuthority, status: AuthorityStatus): void {
    if (resource.resourceVersion !== this.resource.resourceVersion)
      throw new ApiError(409, 'Conflict', 'the object has been modified', { resource: 'certificateauthorities' });
    this.#version += 1;
    this.status = status;
    const version = { ...this.#raw.metadata, resourceVersion: `${this.#version}` };
    const raw = structuredClone({ ...this.#raw, metadata: version, status });
    this.resource = parseCertificateAuthority('CertificateAuthority', raw as RawObject);
  }
}

/** The authority of a world as it is parsed. */
export function authorityOf({ resource }: AuthorityWorld): CertificateAuthority {
  return resource as CertificateAuthority;
}
