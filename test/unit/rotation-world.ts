import {
  type CertificateAuthority,
  isBrokenAuthority,
  parseCertificateAuthority,
} from '../../src/api/certificate-authority.ts';
import { type ClientCertificate, isBroken } from '../../src/api/client-certificate.ts';
import { earliest } from '../../src/api/moments.ts';
import { keyOf } from '../../src/api/parse.ts';
import { Releases } from '../../src/authority/releases.ts';
import { viewAuthority } from '../../src/authority/view.ts';
import { OWN_CA_CAPABILITIES } from '../../src/backends/shared/own-ca.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import { authorityOf, recordOfView, type SecretKept } from '../../src/certificate/secret/record.ts';
import { bundleOf } from '../../src/pki/bundle.ts';
import type { CaPair, CaPath } from '../../src/pki/ca.ts';
import type { Consumer } from '../../src/rotation/deps.ts';
import { type Generation, isInBundle, signingGeneration } from '../../src/rotation/generation.ts';
import { membersOf } from '../../src/rotation/members.ts';
import { planRotation } from '../../src/rotation/plan.ts';
import type { Member, RotationTerms } from '../../src/rotation/plan-types.ts';
import { aRuntime } from './a-runtime.ts';
import { after, NOW } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import { RotationGenerations } from './rotation-generations.ts';
import { LONGEST_LIFE_S, RotationMember, type Surroundings, TEAMS, USAGES } from './rotation-member.ts';
import { PROPAGATION_S } from './rotation-workload.ts';

export const AUTHORITY = 'ClusterCertificateAuthority/ca';
/** How long a member that can't be written may hold up a CA. */
export const DEADLINE_S = 60;
/** How long the controller may take from a change until it reconciles what the change wakes. */
const LATENCY_S = 5;
const FIRST_MEMBERS = 3;
/** How fast the members are re-issued, and how many of them may fail. */
export const REISSUE = { requests: 1, perMs: 2_000, maxFailures: 2 };
const TERMS: RotationTerms = {
  isManual: false,
  isPaused: false,
  propagationMs: PROPAGATION_S * 1_000,
  soakMs: 0,
  progressDeadlineMs: DEADLINE_S * 1_000,
  elsewhereDeadlineMs: DEADLINE_S * 1_000,
  home: 'certwheel',
  retireAfterMs: 0,
  advance: undefined,
  rollback: undefined,
};

const parsed = parseCertificateAuthority('ClusterCertificateAuthority', {
  metadata: { name: 'ca', uid: 'uid-of-authority', resourceVersion: '1', generation: 1 },
  spec: { secret: { name: 'ca' }, allowedNamespaces: { names: ['team-0'] }, limits: { maxDuration: '5m' } },
});
if (isBrokenAuthority(parsed)) throw new Error(parsed.problem);
const resource = parsed;
const clock = new FakeClock(NOW);

/** Why the authority refuses a member. */
export const REFUSALS = ['limits', 'policy', 'namespace'] as const;
type Refusal = (typeof REFUSALS)[number];

/**
 * A CA rotation with all that takes part: the authority, which takes the planned steps, and members, each of which has a
 * ClientCertificate, a Secret and a workload. The plan and each decision about a member are the controller's own.
 */
export class RotationWorld {
  now = NOW;
  /** The CAs that are swapped for one another; the one that is to sign. */
  readonly cas: readonly CaPair[];
  wanted: CaPair | undefined;
  readonly secrets = new RotationGenerations();
  generations: readonly Generation[] = [];
  members: RotationMember[] = [];
  /** Which members the authority refuses, and why. */
  readonly refused = new Map<RotationMember, Refusal>();
  /** What people have set in spec.caRotation, and in annotations. */
  terms: Partial<RotationTerms> = {};
  /** Whether the process ends in the middle of its next step. */
  isDying = false;
  /** Undefined from a start of the controller until it has reconciled the authority. */
  view: AuthorityView | undefined;
  signing: CaPath | undefined;
  /** How many steps the CA rotation has taken. */
  steps = 0;
  #releases = new Releases(REISSUE);
  /** When the controller reconciles the authority again. */
  wakeAt: Date | undefined;
  /** Runs after each change, and at each moment at which something happens. */
  readonly #check: (world: RotationWorld) => void;

  static async begin(cas: readonly CaPair[], check: (world: RotationWorld) => void): Promise<RotationWorld> {
    const world = new RotationWorld(cas, check);
    await world.look();
    for (let index = 0; index < FIRST_MEMBERS; index++) world.join();
    await world.pass(PROPAGATION_S);
    return world;
  }

  constructor(cas: readonly CaPair[], check: (world: RotationWorld) => void) {
    this.cas = cas;
    this.wanted = cas[0];
    this.#check = check;
  }

  /** One reconcile of the authority: at most one step. */
  async look(): Promise<void> {
    const members = () => this.#rotationMembers();
    const seen = await this.secrets.observe(members, this.now);
    const rotation = {
      generations: seen.generations,
      wanted: this.wanted?.id,
      members: members(),
      trustBundleHash: bundleOf(seen.generations.filter(isInBundle).map(({ path }) => path.anchor)).hash,
      terms: { ...TERMS, ...this.terms },
      proofs: () => [],
      longestLifeMs: LONGEST_LIFE_S * 1_000,
      source: 'secret',
    };
    const { step } = planRotation(rotation, this.now);
    this.secrets.take(step, seen, this.wanted, this.now, this.isDying);
    this.generations = (await this.secrets.observe(members, this.now)).generations;
    if (step.do !== 'settle') this.steps += 1;
    this.wakeAt = step.do === 'settle' ? step.recheckAt : this.now;
    if (this.isDying) this.crash();
    else {
      this.secrets.report(this.generations);
      this.#publishView();
    }
    this.isDying = false;
    this.#check(this);
  }

  /** The controller is killed and comes back: what it had in memory is lost, and all is reconciled once. */
  crash(): void {
    this.view = undefined;
    this.signing = undefined;
    this.#releases = new Releases(REISSUE);
    this.wakeAt = after(LATENCY_S * 1_000, this.now);
    for (const each of this.members) each.forget();
    this.#wakeMembers();
  }

  async reconcile(member: RotationMember): Promise<void> {
    const before = [member.stored, member.resource.status.lastFailure?.time];
    const kept = this.authority;
    const around: Surroundings = { authority: () => kept, authorityView: () => this.view, signing: this.signing };
    await member.reconcile(around, this.now);
    const { stored, resource } = member;
    if (stored !== before[0] || resource.status.lastFailure?.time !== before[1]) this.#wakeAuthority();
    this.#check(this);
  }

  /** The authority as it is stored now. */
  get authority(): CertificateAuthority {
    const isRefused = (index: number, why: Refusal) =>
      this.members.some((each) => each.index === index && this.refused.get(each) === why);
    const not = (why: Refusal) => (_each: unknown, index: number) => !isRefused(index, why);
    const usages = ['client auth', 'digital signature', ...USAGES.filter(not('limits'))];
    const organizations = TEAMS.filter(not('policy'));
    const names = TEAMS.filter(not('namespace'));
    return {
      ...resource,
      limits: { ...resource.limits, usages },
      issuancePolicy: [
        {
          name: 'teams',
          namespaces: { all: true },
          names: new Map([
            ['commonNames', ['*']],
            ['subject.organizations', organizations],
          ]),
          maxDurationMs: undefined,
          keyAlgorithms: undefined,
          usages: undefined,
          maxCertificates: undefined,
          needsApproval: false,
        },
      ],
      allowedNamespaces: { names },
    };
  }

  /** A new member, as long as there is room for one. */
  join(): void {
    if (this.members.length < TEAMS.length) this.members.push(new RotationMember(this.members.length, this.now));
  }

  /** Something happened to a member: the controller reconciles it, and counts the members of the rotation anew. */
  changed(member: RotationMember): void {
    member.wakeBy(after(LATENCY_S * 1_000, this.now));
    this.#wakeAuthority();
    this.#check(this);
  }

  /** The rules of the authority changed: that wakes all. */
  rulesChanged(): void {
    this.#wakeAuthority();
    this.#wakeMembers();
  }

  /** Lets time go by. `isSteady`: the authority is reconciled whenever anything wakes it. */
  async pass(seconds: number, isSteady = false): Promise<void> {
    const end = after(seconds * 1_000, this.now);
    while (this.now < end) {
      const moments = [this.wakeAt, ...this.members.flatMap((each) => each.nextMoments())];
      const next = earliest(moments.filter((each) => each !== undefined && each > this.now)) ?? end;
      // Whole seconds, as certificates count them.
      this.now = new Date(Math.min(Math.ceil(next.getTime() / 1_000) * 1_000, end.getTime()));
      await this.#arrive(isSteady);
    }
  }

  async #arrive(isSteady: boolean): Promise<void> {
    for (const each of this.members) each.workload.loadDue(this.now);
    this.#check(this);
    const isStarting = this.view === undefined;
    while (this.wakeAt !== undefined && this.wakeAt <= this.now && (isSteady || isStarting)) await this.look();
    for (const each of this.members)
      if (each.wakeAt !== undefined && each.wakeAt <= this.now) await this.reconcile(each);
  }

  #wakeAuthority(): void {
    const soon = after(1_000, this.now);
    if (this.wakeAt === undefined || this.wakeAt > soon) this.wakeAt = soon;
  }

  #wakeMembers(): void {
    for (const each of this.members) each.wakeBy(after(LATENCY_S * 1_000, this.now));
  }

  #publishView(): void {
    const { generations, now } = this;
    const kept = this.authority;
    const definition = { type: 'secret', capabilities: OWN_CA_CAPABILITIES } as never;
    const backend = { keyPair: () => undefined } as never;
    const runtime = { ...aRuntime({ resource: kept, definition, backend, clock }), generations };
    const trust = generations.filter(isInBundle).map(({ path }) => path.anchor);
    const signing = signingGeneration(generations, now);
    const trouble = signing === undefined ? ({ code: 'CAExpired', message: 'nothing signs' } as const) : undefined;
    const before = this.view;
    const seen = viewAuthority(runtime, trust, trouble, now);
    const { released, fresh, recheckAt } = this.#releases.look(seen, this.#consumers(), {
      now: () => now,
      monotonicMs: () => now.getTime() - NOW.getTime(),
    });
    this.view = { ...seen, released };
    this.wakeAt = earliest([this.wakeAt, recheckAt]);
    for (const each of this.members) if (fresh.includes(each.key)) each.wakeBy(now);
    this.signing = signing?.path;
    if (before === undefined || visible(before) !== visible(this.view)) this.#wakeMembers();
  }

  #consumers(): Consumer[] {
    return this.members
      .filter((each) => each.hasResource && this.refused.get(each) !== 'namespace')
      .map(({ resource, secret }) => ({ resource, secret }));
  }

  #rotationMembers(): Member[] {
    const kept = new Map<string, SecretKept>();
    for (const { secret, isGone } of this.members)
      if (secret !== undefined) kept.set(keyOf(secret), isGone ? recordOfView(secret) : secret);
    const resources = this.members.flatMap((each) => each.kept ?? []);
    return membersOf(AUTHORITY, this.generations, {
      authority: () => this.authority,
      membersOf: () => resources.filter((each): each is ClientCertificate => !isBroken(each)),
      namespaces: { get: () => ({}) },
      proven: (each) => each,
      secrets: {
        keysByIndex: () => [...kept].flatMap(([key, each]) => (authorityOf(each) === AUTHORITY ? key : [])),
        get: (key) => kept.get(key),
      },
    });
  }
}

/** What wakes the members when it changes. */
function visible({ trust, signing, limits, generations }: AuthorityView): string {
  return JSON.stringify([trust.hash, signing, limits, [...generations]]);
}
