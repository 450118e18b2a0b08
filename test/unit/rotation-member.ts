import {
  type BrokenClientCertificate,
  brokenClientCertificate,
  type ClientCertificate,
  isBroken,
  parseClientCertificate,
} from '../../src/api/client-certificate.ts';
import { storedStatus } from '../../src/api/stored-status.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import { trustedAuthority } from '../../src/certificate/authority-view.ts';
import { withAct } from '../../src/certificate/brakes.ts';
import { decide } from '../../src/certificate/decision/decide.ts';
import { backdateMs, longestRetryMs } from '../../src/certificate/decision/schedule.ts';
import { type ObserveDeps, observe } from '../../src/certificate/observe.ts';
import type { Act, Decision, Observed } from '../../src/certificate/observed.ts';
import { RecentActs } from '../../src/certificate/recent.ts';
import type { CertificateFacts } from '../../src/certificate/secret/facts.ts';
import type { SecretView } from '../../src/certificate/secret/view.ts';
import { attemptsSoFar, type Failure, nextStatus } from '../../src/certificate/status/status.ts';
import { RetryableError } from '../../src/errors.ts';
import type { CaPath } from '../../src/pki/ca.ts';
import { backoffMs } from '../../src/queue/backoff.ts';
import { after, aSecret } from './builders.ts';
import { issuerOf } from './rotation-cas.ts';
import { type Held, PROPAGATION_S, RotationWorkload } from './rotation-workload.ts';

/** The authority as its certificates see it. */
export interface Surroundings extends Pick<ObserveDeps, 'authority' | 'authorityView'> {
  /** The CA that signs. */
  readonly signing: CaPath | undefined;
}

/** How long the certificates of a member live. */
const DURATIONS = ['5m', '3m', '4m', '2m30s'];
export const LONGEST_LIFE_S = 300;
/** The namespace and organization of each member, and a usage of its own: by these the authority can refuse it alone. */
export const TEAMS = DURATIONS.map((_each, index) => `team-${index}`);
export const USAGES = ['server auth', 'email protection', 'key agreement', 'content commitment'];

/** One ClientCertificate, its Secret and the workload that loads it. Each decision is the controller's own. */
export class RotationMember {
  resource: ClientCertificate;
  secret: SecretView | undefined;
  /** What the Secret holds; undefined where it is torn or deleted. */
  stored: Held | undefined;
  readonly workload: RotationWorkload;
  /** When the controller reconciles it again. */
  wakeAt: Date | undefined;
  isGone = false;
  isBroken = false;
  isUnwritable = false;
  /** How often its Secret was written anew around the same certificate. */
  repairs = 0;
  readonly index: number;
  #recent = new RecentActs();
  #serials = 0;
  #versions = 1;

  constructor(index: number, now: Date) {
    this.index = index;
    this.workload = new RotationWorkload(index);
    const namespace = TEAMS[index] ?? '';
    const resource = parseClientCertificate({
      metadata: { namespace, name: 'client', uid: `uid-${index}`, resourceVersion: '1', generation: 1 },
      spec: {
        authorityRef: { kind: 'ClusterCertificateAuthority', name: 'ca' },
        secretName: 'client-tls',
        commonName: 'client',
        subject: { organizations: [namespace] },
        duration: DURATIONS[index],
        usages: ['client auth', 'digital signature', USAGES[index]],
        deletionPolicy: 'Retain',
      },
    });
    if (isBroken(resource)) throw new Error(resource.problem);
    this.resource = resource;
    this.wakeAt = now;
  }

  get key(): string {
    return `${this.resource.namespace}/${this.resource.name}`;
  }

  /** The ClientCertificate as the cache of the controller has it. */
  get kept(): ClientCertificate | BrokenClientCertificate | undefined {
    if (this.isGone) return undefined;
    const { namespace, name, uid } = this.resource;
    const metadata = { namespace, name, uid, resourceVersion: '1' };
    return this.isBroken
      ? brokenClientCertificate({ metadata, spec: { secretName: 'client-tls' } }, 'of an older schema')
      : this.resource;
  }

  get hasResource(): boolean {
    return !this.isGone && !this.isBroken;
  }

  /** Whether the Secret remembers the authority. */
  get isMarked(): boolean {
    return this.secret?.memory.authority !== undefined;
  }

  /** Whether the controller may write the Secret, for what it remembers and whatever the authority allows. */
  get isWritable(): boolean {
    const isLeaving = this.resource.deleting !== undefined;
    return this.hasResource && !isLeaving && !this.isUnwritable && (this.isMarked || this.secret === undefined);
  }

  wakeBy(at: Date): void {
    if (this.wakeAt === undefined || this.wakeAt > at) this.wakeAt = at;
  }

  /** What the controller had in memory is lost. */
  forget(): void {
    this.#recent = new RecentActs();
  }

  /** One reconcile of the controller. */
  async reconcile(around: Surroundings, now: Date): Promise<void> {
    this.wakeAt = undefined;
    if (!this.hasResource) return;
    const seen = await observe(this.resource, this.#deps(around));
    if (seen.authority === 'AuthorityNotSeen') return;
    const decision = decide(seen, now);
    if (decision.do !== 'issue' && decision.do !== 'repair') return this.#report(seen, decision, undefined, now);
    this.#recent.keep(this.resource, withAct(seen, decision, undefined, now));
    if (this.isUnwritable) {
      this.#recent.failed(this.resource, 'Forbidden');
      return this.#report(seen, decision, this.#failure(seen, now), now);
    }
    this.#write(seen, decision, around.signing, now);
    const after = seen.with({ secret: this.secret, recent: this.#recent.of(this.key) });
    const next = decide(after, now);
    // A ca.crt without one of two certificates of a CA may show that the other one signed the leaf.
    const isRotated = decision.do === 'repair' && next.do === 'issue' && next.reason === 'CARotated';
    if ((next.do === 'issue' || next.do === 'repair') && !isRotated)
      throw new Error(`${this.key}: after ${JSON.stringify(decision)} follows ${JSON.stringify(next)}`);
    this.#report(after, next, undefined, now);
    if (isRotated) this.wakeBy(now);
  }

  /** When something happens next without any event. */
  nextMoments(): readonly (Date | undefined)[] {
    return [this.wakeAt, this.workload.nextLoad, this.stored?.end];
  }

  /** The Secret is replaced by one without a usable certificate, or deleted. */
  lose(problem: string | undefined, now: Date): void {
    this.secret = problem === undefined || this.secret === undefined ? undefined : this.#torn(this.secret, problem);
    this.stored = undefined;
    this.workload.drop();
    this.wakeBy(now);
  }

  #torn(secret: SecretView, problem: string): SecretView {
    return { ...secret, certificate: undefined, problem, resourceVersion: `${++this.#versions}` };
  }

  /** The Secret loses the annotations in which it remembers its certificate. */
  strip(now: Date): void {
    if (this.secret === undefined) return;
    const memory = { ...this.secret.memory, authority: undefined, issuedAt: undefined, revision: 0 };
    this.secret = { ...this.secret, memory, resourceVersion: `${++this.#versions}` };
    this.wakeBy(now);
  }

  #deps({ authority, authorityView }: Surroundings): ObserveDeps {
    return {
      authority,
      authorityView,
      certificate: () => this.resource,
      firstToName: () => this.resource,
      cachedSecret: () => this.secret,
      readSecret: async () => undefined,
      readReferred: async () => undefined,
      readReferredPast: async () => undefined,
      isSecretAbsent: () => this.secret === undefined,
      keepView: () => {},
      nextKey: () => undefined,
      usesOf: () => [],
      recent: (key) => this.#recent.of(key),
      suggestion: () => undefined,
      places: { ahead: () => 0 },
      requestRead: () => {},
      clusterAuthorities: true,
      namespaceLabels: () => ({}),
      isBehind: () => false,
      readPast: async () => {},
    };
  }

  /** As `issue` and `repair` write it: the chain of the CA that signs, and the trust bundle of the authority. */
  #write(seen: Observed, act: Act, signing: CaPath | undefined, now: Date): void {
    const view = trustedAuthority(seen);
    const held = this.secret?.certificate;
    if (view === undefined) throw new Error(`${this.key}: ${act.do} without an authority`);
    const roots = [...view.trust.anchors.values()];
    if (act.do === 'issue') {
      if (signing === undefined) throw new Error(`${this.key}: issue without a CA that signs`);
      const { durationMs } = this.resource.spec;
      const [notBefore, notAfter] = [after(-backdateMs(durationMs), now), after(durationMs, now)];
      const serialNumber = (++this.#serials).toString(16).padStart(4, '0');
      const memory = { revision: seen.revision + 1, issuedAt: now };
      this.#store({ ca: signing, roots, end: notAfter }, { serialNumber, notBefore, notAfter }, memory, view, now);
    } else {
      if (held === undefined || this.stored === undefined) throw new Error(`${this.key}: repair of nothing`);
      const ca = (view.signing?.fingerprintSHA256 === held.issuerFingerprint && signing) || this.stored.ca;
      const memory = { revision: Math.max(1, seen.revision), issuedAt: seen.secret?.memory.issuedAt ?? now };
      this.repairs += 1;
      this.#store({ ca, roots, end: held.notAfter }, held, memory, view, now);
    }
  }

  #store(
    { ca, roots, end }: Pick<Held, 'ca' | 'roots' | 'end'>,
    { serialNumber, notBefore, notAfter }: Pick<CertificateFacts, 'serialNumber' | 'notBefore' | 'notAfter'>,
    memory: { readonly revision: number; readonly issuedAt: Date },
    view: AuthorityView,
    now: Date,
  ): void {
    const issuer = issuerOf(roots, ca);
    this.secret = aSecret(this.resource, {
      certificate: { serialNumber, notBefore, notAfter, ...issuer },
      memory: { ...memory, authorityGeneration: view.generations.get(issuer.issuerFingerprint)?.version, ledger: '' },
      trustBundleHash: view.trust.hash,
      resourceVersion: `${++this.#versions}`,
    });
    this.#recent.wrote(this.resource, this.secret);
    this.stored = { ca, roots, end, isLost: false, isStuck: false };
    this.workload.publish(this.stored, now);
  }

  #failure({ secret }: Observed, now: Date): Failure {
    const longestMs = longestRetryMs(secret?.certificate?.notAfter, this.resource.spec.durationMs, now);
    const waitMs = backoffMs(attemptsSoFar(this.resource) + 1, { firstMs: 1_000, longestMs }, 0.5);
    const error = new RetryableError('Forbidden', 'patch secrets is forbidden');
    return { error, nextAttemptAt: after(Math.ceil(waitMs / 1_000) * 1_000, now) };
  }

  #report(seen: Observed, decision: Decision, failure: Failure | undefined, now: Date): void {
    const status = nextStatus(seen, decision, failure, now, PROPAGATION_S * 1_000);
    this.resource = { ...this.resource, status: storedStatus(status) };
    const next = failure?.nextAttemptAt ?? ('recheckAt' in decision ? decision.recheckAt : undefined);
    const end = this.stored?.end;
    if (next !== undefined) this.wakeBy(next);
    if (end !== undefined && end > now) this.wakeBy(end);
  }
}
