import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, pairOf, root } from '../../test/pki/make.ts';
import type { CaPair } from '../pki/ca.ts';
import { type Generation, planRotation, signingGeneration } from './generations.ts';

/**
 * The world around a CA rotation, as small as it can be: an authority that takes the planned steps, workloads with a
 * Secret each that the controller keeps up, and what each workload has loaded of it, late by the propagation time at
 * most. Whatever happens in whatever order, each workload must accept what any other shows.
 */
const PROPAGATION_S = 10;
const LIFE_S = 300;
const MEMBERS = 3;
const cas: readonly CaPair[] = await Promise.all(
  [1, 2, 3].map(async (each) => pairOf(await root({ commonName: `CA ${each}` }))),
);

interface Secret {
  readonly issuer: CaPair;
  readonly bundle: readonly CaPair[];
  readonly endS: number;
}

interface Workload {
  secret: Secret;
  loaded: Secret;
  changedS: number;
}

const first = cas[0] as CaPair;

class World {
  nowS = 0;
  wanted: CaPair | undefined = first;
  generations: Generation[] = [];
  clearSince: ReadonlyMap<number, Date> = new Map();
  workloads: Workload[] = [];
  version = 0;
  /** What certificates see of the authority since its last look. */
  seen: { bundle: readonly CaPair[]; signing: CaPair | undefined } = { bundle: [], signing: undefined };

  constructor() {
    this.look();
    const secret = this.issued() as Secret;
    this.workloads = Array.from({ length: MEMBERS }, () => ({ secret, loaded: secret, changedS: 0 }));
  }

  get now(): Date {
    return new Date(NOW.getTime() + this.nowS * 1000);
  }

  /** One look of the authority: at most one step. Answers whether there was any. */
  look(): boolean {
    const bundle = this.generations.map(({ pair }) => pair);
    const { step, clearSince } = planRotation(
      {
        generations: this.generations,
        wanted: this.wanted?.certificate.fingerprintSHA256,
        members: this.workloads.map(({ secret }, index) => ({
          key: `${index}`,
          issuerFingerprint: secret.issuer.certificate.fingerprintSHA256,
          trustBundleHash: hashOf(secret.bundle),
          notAfter: new Date(NOW.getTime() + secret.endS * 1000),
        })),
        trustBundleHash: hashOf(bundle),
        propagationMs: PROPAGATION_S * 1000,
        clearSince: this.clearSince,
      },
      this.now,
    );
    this.clearSince = clearSince;
    switch (step.do) {
      case 'create':
        this.generations.push(generation(++this.version, step.state, this.wanted as CaPair, this.now));
        break;
      case 'move':
        this.replace(step.generation, { ...step.generation, state: step.to, since: this.now });
        break;
      case 'retire':
        this.replace(step.generation);
        break;
      case 'settle':
        break;
    }
    const signing = signingGeneration(this.generations, this.now)?.pair;
    this.seen = { bundle: this.generations.map(({ pair }) => pair), signing };
    return step.do !== 'settle';
  }

  replace(generation: Generation, ...by: Generation[]): void {
    this.generations = this.generations.flatMap((each) => (each === generation ? by : [each]));
  }

  /** The controller is killed and comes back: what it had in memory is lost. */
  crash(): void {
    this.clearSince = new Map();
  }

  /** Somebody takes the annotations off a generation's Secret. */
  damage(index: number): void {
    const generation = this.generations[index % this.generations.length];
    if (generation !== undefined) this.replace(generation, { ...generation, state: 'Retiring', since: NOW });
  }

  issued(): Secret | undefined {
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

  publish(workload: Workload, secret: Secret): void {
    workload.secret = secret;
    workload.changedS = this.nowS;
  }

  load(index: number): void {
    const workload = this.workloads[index % MEMBERS] as Workload;
    workload.loaded = workload.secret;
  }

  /** Second by second, since a workload loads its Secret in time, and a certificate is renewed before it ends. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.nowS++;
      this.workloads.forEach((workload, index) => {
        if (workload.secret.endS - this.nowS < LIFE_S / 2) this.reconcile(index, true);
        if (this.nowS - workload.changedS >= PROPAGATION_S) this.load(index);
      });
      this.check();
    }
  }

  check(): void {
    for (const { loaded: shown } of this.workloads) {
      for (const { loaded: verifier } of this.workloads) {
        const accepted = shown.endS <= this.nowS || verifier.bundle.includes(shown.issuer);
        if (!accepted)
          throw new Error(
            `at ${this.nowS} s a workload refuses a certificate of ${shown.issuer.certificate.subjectText}`,
          );
      }
    }
    const { signing, bundle } = this.seen;
    if (signing !== undefined && !bundle.includes(signing)) throw new Error('what signs is not in the bundle');
    for (const { secret } of this.workloads)
      if (!secret.bundle.includes(secret.issuer)) throw new Error('a certificate beside a ca.crt that refuses it');
  }

  /** Nothing happens any more but what the controller does. Answers how many steps it took. */
  settle(): number {
    let steps = 0;
    for (let round = 0; round < 200; round++) {
      if (this.look()) steps++;
      for (let index = 0; index < MEMBERS; index++) this.reconcile(index, false);
      this.pass(1);
    }
    return steps;
  }
}

type Action = (world: World) => void;

const index = fc.nat({ max: 9 });
const everyday = [
  fc.constant<Action>((world) => void world.look()),
  fc.constant<Action>((world) => void world.look()),
  fc.tuple(index, fc.boolean()).map<Action>(
    ([which, due]) =>
      (world) =>
        world.reconcile(which, due),
  ),
  index.map<Action>((which) => (world) => world.load(which)),
  fc.integer({ min: 1, max: 12 }).map<Action>((seconds) => (world) => world.pass(seconds)),
];
const swaps = index.map<Action>((which) => (world) => {
  world.wanted = cas[which % cas.length];
});
const unreadable = fc.constant<Action>((world) => {
  world.wanted = undefined;
});
const crashes = fc.constant<Action>((world) => world.crash());
const damages = index.map<Action>((which) => (world) => world.damage(which));

function run(actions: readonly Action[], wanted: CaPair): World {
  const world = new World();
  for (const action of actions) {
    action(world);
    world.check();
  }
  world.wanted = wanted;
  const steps = world.settle();
  assert.ok(steps <= 20, `${steps} steps until it settled`);
  assert.is(world.look(), false);
  assert.equal(
    world.generations.map(({ state, pair }) => [state, pair.certificate.subjectText]),
    [['Active', wanted.certificate.subjectText]],
  );
  for (const { secret } of world.workloads) {
    assert.is(secret.issuer, wanted);
    assert.equal(hashOf(secret.bundle), hashOf([wanted]));
  }
  return world;
}

const RUNS = { numRuns: 1_500 };
const aCa = fc.constantFrom(...cas);

test('whatever is swapped in, when and how often, every workload accepts every other and one CA is left', () => {
  const actions = fc.array(fc.oneof(...everyday, swaps, unreadable), { maxLength: 60 });
  fc.assert(
    fc.property(actions, aCa, (list, wanted) => void run(list, wanted)),
    RUNS,
  );
});

test('so it is with a controller that is killed at any moment', () => {
  const actions = fc.array(fc.oneof(...everyday, swaps, crashes), { maxLength: 60 });
  fc.assert(
    fc.property(actions, aCa, (list, wanted) => void run(list, wanted)),
    RUNS,
  );
});

test('so it is where somebody takes the marks off the CA generations', () => {
  const actions = fc.array(fc.oneof(...everyday, swaps, unreadable, crashes, damages), { maxLength: 60 });
  fc.assert(
    fc.property(actions, aCa, (list, wanted) => void run(list, wanted)),
    RUNS,
  );
});

function generation(version: number, state: Generation['state'], pair: CaPair, since: Date): Generation {
  const secret = { namespace: 'ns', name: `ca-ca-v${version}`, uid: `uid-${version}`, resourceVersion: '1' };
  return { version, state, pair, since, source: 'secret', secret };
}

function hashOf(bundle: readonly CaPair[]): string {
  return [...new Set(bundle.map(({ anchor }) => anchor.fingerprintSHA256))].sort().join();
}

test.run();
