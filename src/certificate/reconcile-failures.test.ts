/** Each write of a reconcile run fails in each possible way, or the process dies between two effects. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { aCertificate, DAY, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';
import { ca } from '../../test/unit/journaled-authority.ts';
import { assertBefore, assertLed } from '../../test/unit/order.ts';
import type { Capabilities } from '../backends/backend.ts';
import { classify, RetryableError } from '../errors.ts';
import { bundleOf } from '../pki/bundle.ts';

const coming = await root({ commonName: 'Coming' });
const DURABLY: Partial<Capabilities> = { persistKey: true, remote: true };
const EFFECTS = /^(asked|Secret|Secret removed|next|next removed)( refused)?$/;

interface Scene {
  readonly capabilities?: Partial<Capabilities>;
  /** Brings the world into the state in which the tested run starts. */
  prepare?(world: CertificateWorld): void | Promise<void>;
  /** How many signatures the run takes if nothing fails. */
  readonly signs: 0 | 1;
}

const SCENES: Readonly<Record<string, Scene>> = {
  'a first issue': { signs: 1 },
  'a renewal': {
    signs: 1,
    prepare: async (world) => {
      await world.settle();
      await world.clock.advance(DAY / 2);
    },
  },
  'a repair': {
    signs: 0,
    prepare: async (world) => {
      await world.settle();
      world.edit({
        metadata: { generation: 2 },
        spec: aCertificate({ secretTemplate: { labels: { a: 'b' } } }).raw.spec,
      });
      world.authority = { ...world.ca.view, trust: bundleOf([ca.certificate, coming.certificate]) };
    },
  },
  'a request that outlives the process': { signs: 1, capabilities: DURABLY },
  'an answer that comes later': {
    signs: 1,
    capabilities: DURABLY,
    prepare: (world) => {
      let waits = 1;
      world.ca.answer = () => {
        if (waits-- > 0) return { ticket: 'T', pollAfterMs: MINUTE, message: 'waiting for approval' };
        return undefined;
      };
    },
  },
  'a denial': {
    signs: 0,
    capabilities: DURABLY,
    prepare: (world) => {
      world.ca.isDenying = true;
    },
  },
};

async function begin({ capabilities, prepare }: Scene) {
  const world = new CertificateWorld(undefined, capabilities);
  await prepare?.(world);
  const before = { lines: world.journal.lines.length, signed: world.ca.signed, ...world.writes };
  return {
    world,
    lines: () => world.journal.since(before.lines),
    signed: () => world.ca.signed - before.signed,
    secrets: () => world.writes.secret - before.secret,
    statuses: () => world.writes.status - before.status,
  };
}

/** The state in which every run must end, whatever failed on the way. */
function assertConverged(world: CertificateWorld, lines: readonly string[], isDenied: boolean, told: string): void {
  const view = world.store.view();
  const { written } = world;
  assert.is(world.condition('Ready'), isDenied ? 'False RequestDenied' : 'True Issued', told);
  assert.is(world.condition('Issuing'), undefined, told);
  assert.is(view?.problem, undefined, told);
  assert.equal(
    [written.revision, written.serialNumber, isDenied ? undefined : written.lastFailure],
    [view?.memory.revision, view?.certificate?.serialNumber, undefined],
    told,
  );
  assert.is(world.keys.object === undefined, !isDenied, told);
  assertLed(lines, (line) => EFFECTS.test(line));
  assertBefore(lines, 'audit', 'signed');
  world.told.assertNoKey();
}

for (const [what, scene] of Object.entries(SCENES)) {
  const isDenied = what === 'a denial';

  test(`${what}: the Secret is written before status, and each of them once`, async () => {
    const { world, lines, signed, secrets, statuses } = await begin(scene);
    await world.settle();
    assertConverged(world, lines(), isDenied, lines().join());
    assert.equal([signed(), secrets()], [scene.signs, isDenied ? 0 : 1]);
    assert.is(statuses(), what === 'an answer that comes later' ? 2 : 1);
    const published = lines().indexOf('Secret');
    assert.ok(isDenied || lines().lastIndexOf('status') > published, lines().join());
  });

  test(`${what}: after a crash behind any effect the next process completes the work`, async () => {
    const whole = await begin(scene);
    await whole.world.settle();
    const all = whole.lines();
    for (const [index, line] of all.entries()) {
      const { world, lines, signed, secrets, statuses } = await begin(scene);
      world.journal.diesAfter = world.journal.lines.length + index + 1;
      await world.settle();
      world.restart();
      await world.clock.advance(1_000);
      await world.settle();
      const told = `killed after ${index + 1} (${line}): ${lines().join()}`;
      assertConverged(world, lines(), isDenied, told);
      // Only a certificate whose private key was lost with the process is signed again.
      const isLost = scene.capabilities === undefined && all.slice(0, index + 1).includes('signed');
      const isStored = all.slice(0, index + 1).includes('Secret');
      assert.is(signed(), scene.signs === 1 && isLost && !isStored ? 2 : scene.signs, told);
      assert.is(secrets(), isDenied ? 0 : 1, told);
      assert.ok(statuses() <= 2, told);
      const ids = new Set(world.ca.asked.map(({ id, publicKey }) => `${id} ${publicKey.toString('hex')}`));
      if (scene.capabilities !== undefined) assert.is(ids.size, 1, `another request: ${told}`);
    }
  });

  test(`${what}: a replica that loses the lease stops before its next effect`, async () => {
    const whole = await begin(scene);
    await whole.world.run();
    const questions = whole.lines().filter((line) => line === 'leading').length;
    for (let question = 0; question < questions; question++) {
      const { world, lines } = await begin(scene);
      world.loseLeadAfter(question);
      const outcome = await world.run();
      const told = `question ${question + 1}: ${lines().join()}`;
      const lost = lines().indexOf('leading refused');
      const later = lines().slice(lost);
      assert.is.not(lost, -1, told);
      assert.not.ok(
        later.some((line) => EFFECTS.test(line) && !line.endsWith('refused')),
        told,
      );
      // The leader removes the request that is over, and reconciles everything else again.
      assert.ok(!(outcome instanceof Error) && (outcome.do === 'again' || later.length === 1), told);
    }
  });
}

/** HTTP statuses of the API server; 0 stands for no answer. */
const STATUSES = [0, 403, 409, 422, 429, 500, 503];

for (const [what, scene] of Object.entries(SCENES))
  for (const effect of ['Secret', 'status', 'next', 'next removed'])
    for (const how of ['refuse', 'loseAnswer'] as const)
      test(`${what}: where the effect "${effect}" ${how === 'refuse' ? 'fails' : 'succeeds and its answer is lost'}, the run converges`, async () => {
        for (const status of STATUSES) {
          const isDenied = what === 'a denial';
          const { world, lines, signed, secrets } = await begin(scene);
          world.journal[how](effect, refusal(status, effect === 'status' ? 'clientcertificates' : 'secrets'));
          await world.settle();
          await world.settle();
          const told = `${status}: ${lines().join()}`;
          assertConverged(world, lines(), isDenied, told);
          assert.is(secrets(), isDenied ? 0 : 1, told);
          // A write that may succeed a little later costs no second signature.
          const isFinal = effect === 'Secret' && how === 'refuse' && (status === 403 || status === 422);
          assert.is(signed(), scene.signs === 1 && isFinal && scene.capabilities === undefined ? 2 : scene.signs, told);
        }
      });

test('the removal of a request is retried after half a minute, without a second request to the authority', async () => {
  const { world, lines } = await begin({ signs: 1, capabilities: DURABLY });
  world.journal.refuse('next removed', new RetryableError('ApiServerUnavailable', 'no'));
  const outcome = await world.run();
  assert.equal(outcome, { do: 'rest', recheckAt: new Date(world.clock.now().getTime() + 30_000) });
  await world.settle();
  assert.is(world.keys.object, undefined);
  assert.is(lines().filter((line) => line === 'asked').length, 1);
});

test('a failed read that concerns all certificates is written into no status', async () => {
  for (const [status, ends] of [
    [0, 'ApiServerUnavailable'],
    [409, 'again'],
    [429, 'TooManyRequests'],
    [500, 'ApiServerUnavailable'],
  ] as const) {
    const { world, lines } = await begin({ signs: 1 });
    world.journal.refuse('observe', refusal(status));
    const outcome = await world.run();
    assert.is(outcome instanceof Error ? classify(outcome).code : outcome.do, ends);
    assert.equal(lines(), []);
  }
});

test('a certificate that expires while the API server stores no Secret is reported as Expired', async () => {
  const { world } = await begin({ signs: 1 });
  await world.settle();
  await world.clock.advance(2 * DAY);
  world.journal.refuse('Secret', ...Array.from({ length: 4 }, () => refusal(503)));
  assert.ok((await world.run()) instanceof Error);
  assert.is(world.condition('Ready'), 'False Expired');
});

test('where admission altered a Secret, status reports what is stored', async () => {
  const { world } = await begin({ signs: 1 });
  await world.settle();
  world.store.mutate = ({ data, ...rest }) => ({ ...rest, data: { ...data, 'tls.key': '' } });
  await world.clock.advance(DAY / 2);
  await world.run();
  assert.is(world.condition('Ready'), 'False SecretAltered');
});

test.run();
