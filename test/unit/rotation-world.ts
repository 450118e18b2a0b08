import type { CAGeneration } from '../../src/api/generated/types.ts';
import type { CaPair, CaPath } from '../../src/pki/ca.ts';
import { type Generation, signingGeneration } from '../../src/rotation/generation.ts';
import type { GenerationSecret } from '../../src/rotation/generation-secret.ts';
import { planRotation } from '../../src/rotation/plan.ts';
import type { Step } from '../../src/rotation/plan-types.ts';
import { type Provenance, provenanceOf } from '../../src/rotation/provenance.ts';
import { nextVersion } from '../../src/rotation/steps.ts';
import { NOW, pairOf, root } from '../pki/make.ts';
import { aGeneration, generationSecret } from './a-generation.ts';

/**
 * The world around a CA rotation, as small as it can be: an authority that takes the planned steps, workloads with a
 * Secret each that the controller keeps up, and what each workload has loaded of it, late by the propagation time at
 * most. Whatever happens in whatever order, each workload must accept what any other shows.
 */
const PROPAGATION_S = 10;
const LIFE_S = 300;
/** Longer than any run of the model: no member is left behind. */
const DEADLINE_MS = 365 * 86_400_000;
/** One loads its Secret at once, one as late as it may. */
const DELAYS_S = [1, 5, PROPAGATION_S];
export const MEMBERS = DELAYS_S.length;
export const cas: readonly CaPair[] = await Promise.all(
  [1, 2, 3].map(async (each) => pairOf(await root({ commonName: `CA ${each}` }))),
);

interface Held {
  readonly issuer: CaPath;
  readonly bundle: readonly CaPath[];
  readonly endS: number;
}

interface Workload {
  secret: Held;
  loaded: Held;
  /** What was published and is not loaded yet, each since when; the oldest first. */
  ahead: { readonly sinceS: number; readonly secret: Held }[];
}

const first = cas[0] as CaPair;
const foreignCa = pairOf(await root({ commonName: 'Theirs' }));

export class World {
  nowS = 0;
  wanted: CaPair | undefined = first;
  /** What the API server holds, and the blank one that a process left which ended too soon. */
  stored: GenerationSecret[] = [];
  blank: number | undefined;
  generations: readonly Generation[] = [];
  /** What the status tells of them. */
  reported: Pick<CAGeneration, 'version' | 'state' | 'fingerprintSHA256'>[] = [];
  /** Each state of each Secret, as backups have it. */
  readonly backups: GenerationSecret[] = [];
  /** Those of the Secrets that the controller has made. */
  readonly made = new Set<string>();
  /** Whether the process ends in the middle of what it does next. */
  isDying = false;
  clearSince: ReadonlyMap<string, Date> = new Map();
  workloads: Workload[] = [];
  uids = 0;
  /** What certificates see of the authority since its last look. */
  seen: { bundle: readonly CaPath[]; signing: CaPath | undefined } = { bundle: [], signing: undefined };

  static async begin(): Promise<World> {
    const world = new World();
    await world.look();
    const secret = world.issued() as Held;
    world.workloads = Array.from({ length: MEMBERS }, () => ({ secret, loaded: secret, ahead: [] }));
    return world;
  }

  get now(): Date {
    return new Date(NOW.getTime() + this.nowS * 1000);
  }

  /** One look of the authority: at most one step. Answers whether there was any. */
  async look(): Promise<boolean> {
    const seen = await this.#observe();
    const members = this.#members();
    const { step, clearSince } = planRotation(
      {
        generations: seen.generations,
        wanted: this.wanted?.id,
        members,
        trustBundleHash: hashOf(seen.generations.map(({ path }) => path)),
        propagationMs: PROPAGATION_S * 1000,
        progressDeadlineMs: DEADLINE_MS,
        longestLifeMs: LIFE_S * 1000,
        source: 'secret',
        clearSince: this.clearSince,
      },
      this.now,
    );
    this.clearSince = clearSince;
    this.#take(step, seen);
    this.generations = (await this.#observe()).generations;
    const signing = signingGeneration(this.generations, this.now)?.path;
    this.seen = { bundle: this.generations.map(({ path }) => path), signing };
    if (!this.isDying) this.#tell();
    else this.crash();
    this.isDying = false;
    return step.do !== 'settle';
  }

  #observe() {
    return provenanceOf(this.stored, { reported: this.reported, members: () => this.#members() }, this.now);
  }

  #members() {
    return this.workloads.map(({ secret }, index) => ({
      key: `${index}`,
      issuerFingerprint: secret.issuer.certificate.fingerprintSHA256,
      anchorFingerprints: [secret.issuer.anchor.fingerprintSHA256],
      trustBundleHash: hashOf(secret.bundle),
      notAfter: new Date(NOW.getTime() + secret.endS * 1000),
    }));
  }

  #take(step: Step, seen: Provenance): void {
    switch (step.do) {
      case 'create': {
        const version = nextVersion({ status: { generations: this.reported } } as never, seen);
        // Two writes: the second one may never come.
        const isBlank = this.blank === version;
        this.blank = this.isDying ? version : undefined;
        if (this.isDying && !isBlank) return;
        const uid = `made-${++this.uids}`;
        this.made.add(uid);
        const secret = { namespace: 'ns', name: `ca-ca-v${version}`, uid, resourceVersion: '1' };
        const made = aGeneration(version, step.state, this.wanted as CaPair, { since: this.now, secret });
        this.#store(made, seen.generations);
        return;
      }
      case 'mark':
        this.#store(step.generation, seen.generations);
        return;
      case 'move':
        this.#store({ ...step.generation, state: step.to, since: this.now }, seen.generations);
        return;
      case 'retire':
        this.stored = this.stored.filter(({ secret }) => secret.uid !== step.generation.secret.uid);
    }
  }

  #store(generation: Generation, inUse: readonly Generation[]): void {
    const { uid, namespace } = generation.secret;
    const mark = { uids: [uid, ...inUse.map(({ secret }) => secret.uid)], namespace };
    const kept = generationSecret({ ...generation, mark: 'whole' }, { mark });
    this.stored = [...this.stored.filter(({ secret }) => secret.uid !== uid), kept];
    this.backups.push(kept);
  }

  #tell(): void {
    const living = new Set(this.generations.map(({ version }) => version));
    const retired = this.reported.filter(({ version }) => !living.has(version));
    const inUse = this.generations.map(({ version, state, path }) => ({
      version,
      state,
      fingerprintSHA256: path.certificate.fingerprintSHA256,
    }));
    this.reported = [...inUse, ...retired.map((each) => ({ ...each, state: 'Retired' as const }))];
  }

  /** A backup brings a Secret again where there is none of its name, as it was but for its uid. */
  restore(which: number): void {
    const backup = this.backups[which % this.backups.length];
    if (backup !== undefined) this.#appear(backup, backup.version);
  }

  /** A copier brings the Secret of an authority in another namespace, which carries the mark of that one. */
  copy(which: number): void {
    const theirs = generationSecret(aGeneration(1, 'Active', foreignCa, { since: this.now }));
    this.#appear({ ...theirs, mark: { uids: ['theirs'], namespace: 'elsewhere' } }, 1 + (which % 6));
  }

  /** Somebody brings a CA without any mark, under any version. */
  plant(which: number): void {
    this.#appear(generationSecret(aGeneration(1, 'Active', foreignCa, { since: this.now })), 1 + which);
  }

  #appear(from: GenerationSecret, version: number): void {
    if (from.generation === undefined || this.stored.some((each) => each.version === version)) return;
    const secret = { ...from.secret, name: `ca-ca-v${version}`, uid: `outside-${++this.uids}` };
    const generation = { ...from.generation, version, secret, mark: 'none' as const };
    this.stored.push(generationSecret(generation, { mark: from.mark }));
  }

  /** A person deletes what the controller tells of. */
  tidy(): void {
    this.stored = this.stored.filter(({ secret }) => this.made.has(secret.uid));
  }

  /** The controller is killed and comes back: what it had in memory is lost. */
  crash(): void {
    this.clearSince = new Map();
  }

  /** The key of a generation can't be used any more, wherever it lives. */
  loseSigner(index: number): void {
    const lost = this.stored[index % this.stored.length];
    if (lost?.generation === undefined) return;
    const generation = { ...lost.generation, signer: undefined };
    this.stored = this.stored.map((each) => (each === lost ? { ...lost, generation } : each));
  }

  /** Somebody takes the annotations off a generation's Secret. */
  damage(index: number): void {
    const generation = this.generations[index % this.generations.length];
    if (generation === undefined) return;
    const damaged = { ...generation, state: 'Retiring' as const, since: NOW, mark: 'none' as const };
    this.stored = this.stored.map((each) =>
      each.secret.uid === generation.secret.uid ? generationSecret(damaged) : each,
    );
  }

  issued(): Held | undefined {
    const { signing, bundle } = this.seen;
    return signing && { issuer: signing, bundle, endS: this.nowS + LIFE_S };
  }

  /** The controller looks at a certificate: a new one where its CA has a successor or it is due, else its ca.crt. */
  reconcile(index: number, due: boolean): void {
    const workload = this.workloads[index % MEMBERS] as Workload;
    const { secret } = workload;
    const { bundle, signing } = this.seen;
    const rotated = signing !== undefined && secret.issuer !== signing;
    const foreign = !bundle.includes(secret.issuer);
    const next = due || rotated || foreign ? this.issued() : undefined;
    if (next !== undefined) this.publish(workload, next);
    else if (!foreign && hashOf(bundle) !== hashOf(secret.bundle)) this.publish(workload, { ...secret, bundle });
  }

  publish(workload: Workload, secret: Held): void {
    workload.secret = secret;
    workload.ahead.push({ sinceS: this.nowS, secret });
  }

  load(index: number): void {
    const workload = this.workloads[index % MEMBERS] as Workload;
    workload.loaded = workload.secret;
    workload.ahead = [];
  }

  /** Second by second, since a workload loads its Secret in time, and a certificate is renewed before it ends. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.nowS++;
      this.workloads.forEach((workload, index) => {
        if (workload.secret.endS - this.nowS < LIFE_S / 2) this.reconcile(index, true);
        const dueS = this.nowS - (DELAYS_S[index] ?? 0);
        workload.loaded = workload.ahead.findLast(({ sinceS }) => sinceS <= dueS)?.secret ?? workload.loaded;
        workload.ahead = workload.ahead.filter(({ sinceS }) => sinceS > dueS);
      });
      this.check();
    }
  }

  check(): void {
    // A workload whose own certificate has ended has no handshake to lose; that takes a CA that could not sign for long.
    const shaking = this.workloads.map(({ loaded }) => loaded).filter(({ endS }) => endS > this.nowS);
    for (const shown of shaking) {
      for (const verifier of shaking) {
        const accepted = verifier.bundle.includes(shown.issuer);
        if (!accepted)
          throw new Error(
            `at ${this.nowS} s a workload refuses a certificate of ${shown.issuer.certificate.subjectText}`,
          );
      }
    }
    const outside = this.generations.find(({ secret }) => !this.made.has(secret.uid));
    if (outside !== undefined) throw new Error(`${outside.secret.name} is trusted, and came from outside`);
    const { signing, bundle } = this.seen;
    if (signing !== undefined && !bundle.includes(signing)) throw new Error('what signs is not in the bundle');
    for (const { secret } of this.workloads)
      if (!secret.bundle.includes(secret.issuer)) throw new Error('a certificate beside a ca.crt that refuses it');
  }

  /** Nothing happens any more but what the controller does. Answers how many steps it took. */
  async settle(): Promise<number> {
    let steps = 0;
    for (let round = 0; round < 200; round++) {
      if (await this.look()) steps++;
      for (let index = 0; index < MEMBERS; index++) this.reconcile(index, false);
      this.pass(1);
    }
    return steps;
  }
}

export function hashOf(bundle: readonly CaPath[]): string {
  return [...new Set(bundle.map(({ anchor }) => anchor.fingerprintSHA256))].sort().join();
}
