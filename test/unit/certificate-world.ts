/** Fakes of the API server and of one authority: real ones can't be made to fail between any two lines. */
import {
  type BrokenClientCertificate,
  type ClientCertificate,
  conditionsOf,
  parseClientCertificate,
} from '../../src/api/client-certificate.ts';
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { Capabilities } from '../../src/backends/backend.ts';
import { issue, repair } from '../../src/certificate/act.ts';
import type { AuthorityView, NoAuthority } from '../../src/certificate/authority-view.ts';
import type { CertificateDeps } from '../../src/certificate/deps.ts';
import { Observed } from '../../src/certificate/observed.ts';
import { RecentActs } from '../../src/certificate/recent.ts';
import { reconcileCertificate } from '../../src/certificate/reconcile.ts';
import type { NextManifest } from '../../src/certificate/request/next-manifest.ts';
import { UnpublishedCertificates } from '../../src/certificate/request/unpublished.ts';
import type { SecretManifest } from '../../src/certificate/secret/manifest.ts';
import type { Published } from '../../src/certificate/status/record-issued.ts';
import { ApiError, RetryableError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import { ALLOWED } from '../../src/policy/permission.ts';
import { Buckets } from '../../src/queue/bucket.ts';
import type { Outcome } from '../../src/queue/controller.ts';
import { SlowWork } from '../../src/queue/slow-work.ts';
import { aCertificate, after, DAY, NOW, PROPAGATION_MS, RUN } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import { Journal } from './journal.ts';
import { JournaledAuthority } from './journaled-authority.ts';
import { NextStore, requestDeps } from './next-store.ts';
import { SecretStore } from './secret-store.ts';
import { Told } from './told.ts';

export const KEY = 'team/client';

/** An error of the API server for a Secret. 403 says that an RBAC role is missing; 0 stands for no answer. */
export function refusal(status: number, resource = 'secrets'): ApiError {
  const message = status === 403 ? `${resource} is forbidden: User "x" cannot patch resource "${resource}"` : 'no';
  return new ApiError(status, 'Reason', message, { resource });
}

/** One ClientCertificate, its authority and its Secrets. `restart` forgets all that was in memory. */
export class CertificateWorld {
  readonly clock = new FakeClock(NOW);
  readonly journal = new Journal();
  readonly told = new Told();
  readonly store = new SecretStore();
  readonly keys = new NextStore();
  readonly ca: JournaledAuthority;
  /** The authority as certificates see it. */
  authority: AuthorityView | NoAuthority;
  /** Runs before the answer of `assertServed`, which is `rule`. */
  served: () => void = () => {};
  rule: string | undefined;
  resource: ClientCertificate | BrokenClientCertificate;
  /** The status that was written last; the parsed resource keeps less of it. */
  written: ClientCertificateStatus;
  readonly published: Published[] = [];
  isGone = false;
  /** Set where the cache doesn't know the Secret as it is stored. */
  cached: { readonly secret: Observed['secret'] } | undefined;
  deps: CertificateDeps;
  readonly #raw: RawObject;
  #version = 7;

  constructor(raw: RawObject = aCertificate().raw, capabilities: Partial<Capabilities> = {}) {
    this.#raw = raw;
    this.resource = parseClientCertificate(structuredClone(raw));
    this.written = (raw.status ?? {}) as ClientCertificateStatus;
    this.ca = new JournaledAuthority(this.clock, this.journal, this.#log(), capabilities);
    this.authority = this.ca.view;
    this.deps = this.#fresh();
  }

  get status() {
    return this.resource.status;
  }

  /** The condition of that type, as `Status Reason`. */
  condition(type: string): string | undefined {
    const found = conditionsOf(this.status).find((each) => each.type === type);
    return found && `${found.status} ${found.reason}`;
  }

  /** A person edits the resource. */
  edit(change: Partial<RawObject>): void {
    const { metadata, spec } = this.#raw;
    Object.assign(this.#raw, { metadata: { ...metadata, ...change.metadata }, spec: change.spec ?? spec });
    this.#load();
  }

  restart(): void {
    this.journal.revive();
    this.deps = this.#fresh();
  }

  seen(): Observed {
    return new Observed({
      resource: this.resource as ClientCertificate,
      authority: this.authority,
      permission: ALLOWED,
      secret: this.cached === undefined ? this.store.view() : this.cached.secret,
      rival: undefined,
      next: this.keys.view(),
      recent: this.deps.recent.of(KEY),
    });
  }

  /** One reconcile run. Returns the error where the run throws. */
  async run(): Promise<Outcome | Error> {
    const outcome = await reconcileCertificate(KEY, this.deps, RUN).catch((error: Error) => error);
    this.told.say(outcome);
    return outcome;
  }

  issue(authority = this.ca.view, seen = this.seen()) {
    return issue(seen, authority, (request) => this.ca.backend.issue(request, RUN.signal), this.deps, RUN);
  }

  repair(authority = this.ca.view, seen = this.seen()) {
    return repair(seen, authority, this.deps);
  }

  /** Reconciles as the controller would, until nothing is due within a quarter of an hour or the process is dead. */
  async settle(): Promise<Outcome | Error> {
    for (let round = 0; round < 12; round++) {
      const outcome = await this.run();
      if (this.journal.isDead) return outcome;
      const at = outcome instanceof Error || outcome.do === 'again' ? after(1_000, this.clock.now()) : nextOf(outcome);
      const inMs = at === undefined ? Number.POSITIVE_INFINITY : at.getTime() - this.clock.now().getTime();
      if (!(outcome instanceof Error) && outcome.do === 'rest' && inMs > DAY / 96) return outcome;
      await this.clock.advance(Math.max(1, inMs));
    }
    throw new Error(`the reconcile never settles: ${this.journal.lines.join(', ')}`);
  }

  /** The lease is lost at the check after so many checks. */
  loseLeadAfter(questions: number): void {
    let left = questions;
    const isLost = () => left-- <= 0;
    this.deps = {
      ...this.deps,
      ownership: {
        assert: () => {
          if (isLost()) this.journal.refuse('leading', new RetryableError('Conflict', 'another replica leads'));
          this.journal.step('leading');
        },
      },
    };
  }

  /** Writes that the API server has stored. */
  get writes() {
    return { secret: this.store.writes, status: this.journal.count('status') };
  }

  #load(): void {
    this.#version += 1;
    const metadata = { ...this.#raw.metadata, resourceVersion: `${this.#version}` };
    this.resource = parseClientCertificate(structuredClone({ ...this.#raw, metadata, status: this.written }));
  }

  #log(): Logger {
    const line = (message: string, fields = {}) => {
      this.told.say(message, fields);
      if (message === 'signing') this.journal.note('audit');
    };
    return { debug: line, info: line, warn: line, error: line };
  }

  #fresh(): CertificateDeps {
    const { clock, journal, store, keys, told } = this;
    const held = ({ data }: SecretManifest | NextManifest) => {
      const { 'tls.key': key = '' } = data as { 'tls.key'?: string };
      if (key !== '') told.keep(Buffer.from(key, 'base64').toString('latin1'));
    };
    return {
      ...requestDeps(clock, keys, this.ca.backend),
      suggestions: { look: async () => undefined },
      nextKeys: {
        read: () => journal.read('read next', () => keys.read()),
        apply: (manifest) => {
          held(manifest);
          return journal.effect('next', () => keys.apply(manifest));
        },
        delete: (next) => journal.effect('next removed', () => keys.delete(next)),
      },
      secrets: {
        get: () => journal.read('read Secret', () => store.get()),
        apply: (manifest) => {
          held(manifest);
          return journal.effect('Secret', () => store.apply(manifest));
        },
        rehearse: (manifest) => journal.effect('rehearsal', () => store.rehearse(manifest)),
        remove: (view) => journal.effect('Secret removed', () => store.remove(view)),
      },
      liveSecret: () => journal.read('read Secret', () => store.get()),
      slowWork: new SlowWork(1, clock, () => true),
      unpublished: new UnpublishedCertificates(),
      recent: new RecentActs(),
      log: this.#log(),
      ownership: { assert: () => journal.step('leading') },
      requestedBy: () => 'unverified',
      revoke: () => {},
      hold: async () => {},
      deletions: new Map(),
      assertServedByFallback: async () => undefined,
      assertServed: async () => {
        this.served();
        return this.rule;
      },
      find: () => (this.isGone ? undefined : this.resource),
      proveSecret: () => {},
      nextKey: () => keys.view(),
      isGone: async () => this.isGone,
      observe: () => journal.read('observe', () => this.seen()),
      runtime: () => ({ backend: this.ca.backend, turnstile: undefined, polls: undefined }),
      writeStatus: (resource, status) =>
        journal.effect('status', () => {
          told.say(status);
          if (resource.resourceVersion !== this.resource.resourceVersion)
            throw new ApiError(409, 'Conflict', 'the object has been modified', { resource: 'clientcertificates' });
          this.written = status;
          this.#load();
        }),
      recordEvent: (_resource, event) => {
        told.say(event);
        journal.note(`event ${event.reason}`);
      },
      statusWrites: new Buckets({ capacity: 20, refillMs: 2_000 }),
      routineEvents: false,
      published: (notice) => void this.published.push(notice),
      propagationMs: PROPAGATION_MS,
      metrics: {
        issuedByRule: () => {},
        fallbackIssued: () => {},
        rotated: (...labels) => told.say(labels),
        failed: (type, code) => {
          told.say(type, code);
          journal.note(`failed ${code}`);
        },
        show: (_resource, status) => {
          told.say(status);
          journal.note('shown');
        },
      },
    };
  }
}

function nextOf(outcome: Outcome): Date | undefined {
  return outcome.do === 'retry' ? outcome.at : outcome.do === 'rest' ? outcome.recheckAt : undefined;
}
