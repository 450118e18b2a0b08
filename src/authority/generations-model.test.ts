import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import type { CaPair } from '../pki/ca.ts';
import { type Generation, planRotation, signingGeneration } from './generations.ts';

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
const MEMBERS = DELAYS_S.length;
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
  /** What was published and is not loaded yet, each since when; the oldest first. */
  ahead: { readonly sinceS: number; readonly secret: Secret }[];
}

const first = cas[0] as CaPair;

class World {
  nowS = 0;
  wanted: CaPair | undefined = first;
  generations: Generation[] = [];
  clearSince: ReadonlyMap<string, Date> = new Map();
  workloads: Workload[] = [];
  version = 0;
  /** What certificates see of the authority since its last look. */
  seen: { bundle: readonly CaPair[]; signing: CaPair | undefined } = { bundle: [], signing: undefined };

  constructor() {
    this.look();
    const secret = this.issued() as Secret;
    this.workloads = Array.from({ length: MEMBERS }, () => ({ secret, loaded: secret, ahead: [] }));
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
        wanted: this.wanted?.id,
        members: this.workloads.map(({ secret }, index) => ({
          key: `${index}`,
          issuerFingerprint: secret.issuer.certificate.fingerprintSHA256,
          anchorFingerprints: [secret.issuer.anchor.fingerprintSHA256],
          trustBundleHash: hashOf(secret.bundle),
          notAfter: new Date(NOW.getTime() + secret.endS * 1000),
        })),
        trustBundleHash: hashOf(bundle),
        propagationMs: PROPAGATION_S * 1000,
        progressDeadlineMs: DEADLINE_MS,
        source: 'secret',
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

type Verb = 'look' | 'reconcile' | 'renew' | 'load' | 'pass' | 'swap' | 'unreadable' | 'crash' | 'damage';

const ACTIONS: Readonly<Record<Verb, (world: World, number: number) => void>> = {
  look: (world) => void world.look(),
  reconcile: (world, which) => world.reconcile(which, false),
  renew: (world, which) => world.reconcile(which, true),
  load: (world, which) => world.load(which),
  pass: (world, seconds) => world.pass(1 + seconds),
  swap: (world, which) => {
    world.wanted = cas[which % cas.length];
  },
  unreadable: (world) => {
    world.wanted = undefined;
  },
  crash: (world) => world.crash(),
  damage: (world, which) => world.damage(which),
};

/** What happens, and how often compared to the rest. */
const EVERYDAY = { look: 8, reconcile: 4, renew: 2, load: 4, pass: 6, swap: 2 };

function happenings(weights: Partial<Record<Verb, number>>) {
  const verbs = Object.entries(weights).map(([verb, weight]) => ({ weight, arbitrary: fc.constant(verb as Verb) }));
  const action = fc.tuple(fc.oneof(...verbs), fc.nat({ max: 19 }));
  return fc.array(action, { minLength: 40, maxLength: 120, size: 'max' });
}

function check(weights: Partial<Record<Verb, number>>): void {
  const property = fc.property(happenings(weights), fc.nat({ max: 2 }), (actions, wanted) => {
    const world = new World();
    for (const [verb, number] of actions) {
      ACTIONS[verb](world, number);
      world.check();
    }
    endsWith(world, cas[wanted] as CaPair);
  });
  fc.assert(property, { numRuns: 1_000 });
}

function endsWith(world: World, wanted: CaPair): void {
  world.wanted = wanted;
  const steps = world.settle();
  assert.ok(steps <= 20, `${steps} steps until it settled`);
  assert.is(world.look(), false);
  const left = world.generations.map(({ state, pair }) => `${state} ${pair.certificate.subjectText}`);
  assert.equal(left, [`Active ${wanted.certificate.subjectText}`]);
  for (const { secret } of world.workloads) {
    assert.is(secret.issuer.certificate.subjectText, wanted.certificate.subjectText);
    assert.is(hashOf(secret.bundle), hashOf([wanted]));
  }
}

test('whatever is swapped in, when and how often, every workload accepts every other and one CA is left', () => {
  check({ ...EVERYDAY, unreadable: 1 });
});

test('so it is with a controller that is killed at any moment', () => {
  check({ ...EVERYDAY, crash: 2 });
});

test('so it is where somebody takes the marks off the CA generations', () => {
  check({ ...EVERYDAY, unreadable: 1, crash: 1, damage: 1 });
});

function generation(version: number, state: Generation['state'], pair: CaPair, since: Date): Generation {
  return aGeneration(version, state, pair, { since });
}

function hashOf(bundle: readonly CaPair[]): string {
  return [...new Set(bundle.map(({ anchor }) => anchor.fingerprintSHA256))].sort().join();
}

test.run();
