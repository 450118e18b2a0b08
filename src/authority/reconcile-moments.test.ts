/** When an authority is reconciled next, and what certificates see of it meanwhile. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import { AuthorityWorld, another, KEY, stored } from '../../test/unit/authority-world.ts';
import { after, DAY, NOW, RUN, SECOND } from '../../test/unit/builders.ts';
import { refusal } from '../../test/unit/certificate-world.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { AuthorityError } from '../errors.ts';
import { successorDue } from '../pki/ca-life.ts';
import { spreading } from './publish-view.ts';
import { reconcileAuthority } from './reconcile.ts';

async function inMs(world: AuthorityWorld): Promise<number> {
  let outcome = await world.run();
  // A step of its CA rotation is followed by the next look.
  if (!(outcome instanceof Error) && outcome.do === 'again') outcome = await world.run();
  if (outcome instanceof Error || outcome.do !== 'rest' || outcome.recheckAt === undefined)
    throw new Error('no moment');
  return outcome.recheckAt.getTime() - world.clock.now().getTime();
}

const missing = new AuthorityError('CASecretNotFound', 'there is no Secret pair');
const away = (message: string, retryAfterMs?: number) =>
  new AuthorityError('AuthorityUnreachable', message, { retryAfterMs });

test('a good authority is reconciled when its CA is to have a successor', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  const due = successorDue(stored.certificate).getTime();
  assert.is(await inMs(world), due - world.clock.now().getTime());
});

test('a source that cannot be read is read again less and less often, and at once again after a success', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  world.journal.refuse('read source', missing, missing, missing, missing);
  const moments = [await inMs(world), await inMs(world), await inMs(world)];
  assert.equal(moments, [SECOND, 2 * SECOND, 4 * SECOND]);
  world.journal.refuse('read source');
  await inMs(world);
  await inMs(world);
  world.journal.refuse('read source', missing);
  assert.is(await inMs(world), SECOND);
});

test('a machine that asks to be left alone is, and status says until when', async () => {
  const world = new AuthorityWorld({ isRemote: true });
  world.journal.refuse('checked', away('later', 70 * SECOND));
  assert.is(await inMs(world), 70 * SECOND);
  assert.is(
    world.status.nextProbeTime,
    after(70 * SECOND)
      .toISOString()
      .replace('.000', ''),
  );
});

test('a machine whose refusals read otherwise each time wakes its certificates once', async () => {
  const world = new AuthorityWorld({ isRemote: true });
  world.journal.refuse('checked', away('request 1 failed'), away('request 2 failed'));
  await world.clock.advance(await inMs(world));
  await world.run();
  assert.equal([world.journal.count('checked refused'), world.journal.count('woken')], [2, 1]);
  assert.is(world.runtime?.view?.trouble?.message, 'request 1 failed');
});

test('a call that is aborted at the end of the process is no trouble of the authority', async () => {
  const world = new AuthorityWorld({ isRemote: true });
  await world.run();
  const stop = new AbortController();
  stop.abort(new Error('shutting down'));
  world.journal.refuse('checked', away('shutting down'));
  assert.match(
    String(await thrownBy(reconcileAuthority(KEY, world.deps, { ...RUN, signal: stop.signal }))),
    'shutting',
  );
  assert.is(world.runtime?.breaker.trouble, undefined);
  assert.is(world.condition('Ready'), 'True Verified');
});

test('a backend that states its CA with each certificate alone is not reported to trust the former CA alone', async () => {
  const world = new AuthorityWorld({ isRemote: true });
  world.anchors = [];
  world.generations.plant(aGeneration(1, 'Active', stored, { since: after(-DAY) }), ['uid-1']);
  await world.run();
  assert.is(world.runtime?.view?.trust.anchors.size, 0);
});

test('after a change of the backend the new CA signs only once its trust is spread, and the view of the authority says so', async () => {
  const world = new AuthorityWorld();
  world.generations.plant(aGeneration(1, 'Active', another, { since: after(-DAY), source: 'selfManaged' }), ['uid-1']);
  const notAfter = after(DAY);
  const issuerFingerprint = another.certificate.fingerprintSHA256;
  world.members = [
    {
      key: 'ns/client',
      namespace: 'ns',
      issuerFingerprint,
      anchorFingerprints: [],
      trustBundleHash: 'of before',
      notAfter,
    },
  ];
  for (let look = 0; look < 4; look++) await world.run();
  assert.equal(world.generations.states().toSorted(), ['v1 Retiring', 'v2 Prepared']);
  assert.is(world.condition('Ready'), 'False AuthorityNotReady');
  assert.match(world.runtime?.view?.trouble?.message ?? '', 'generation 2 goes into every ca.crt before it signs');
});

test('a CA that a former backend was about to use does not hide what is wrong with the present one', async () => {
  const world = new AuthorityWorld();
  await world.run();
  const { runtime } = world;
  assert.ok(runtime);
  // As with a Vault that cannot be reached: it chooses the CA, and none of its own is known.
  const own = { ...runtime, backend: { ...runtime.backend, choosesCA: true } };
  const coming = aGeneration(2, 'Trusted', another);
  assert.match(spreading({ ...own, generations: [coming] }, NOW)?.message ?? '', 'generation 2');
  const stranded = { ...coming, source: 'selfManaged' };
  assert.is(spreading({ ...own, generations: [stranded] }, NOW), undefined);
});

test('a step that cannot be written is not said to come soon', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  world.follow();
  world.wanted = another;
  while (!world.generations.states().includes('v2 Prepared')) await world.run();
  world.follow();
  world.journal.refuse('write v2 Prepared', refusal(403), refusal(403));
  await world.run();
  const { conditions = [], caRotation } = world.status;
  const said = conditions.find(({ type }) => type === 'Rotating')?.message ?? '';
  assert.match(said, 'no step is taken before Forbidden is mended');
  assert.is(caRotation?.plan, undefined);
});

test('a CA generation that another party deletes causes an event, and one that is retired causes none', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  world.wanted = another;
  await world.settle();
  const told = () => world.journal.lines.filter((line) => line === 'event CAGenerationDeleted').length;
  assert.equal([world.generations.states(), told()], [['v2 Active'], 0]);
  const [held] = world.generations.secrets();
  assert.ok(held?.generation);
  await world.generations.delete(held.generation);
  await world.run();
  await world.run();
  assert.is(told(), 1, 'once');
});

test('a stored generation that cannot be read is reported, while another goes on', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  const problem = 'Secret ns/ca-ca-v2 has no key';
  const [held] = world.generations.secrets();
  const uids = held?.mark.uids ?? [];
  const unreadable = generationSecret(aGeneration(2, 'Retiring', another), { generation: undefined, problem });
  const both = [
    { ...held, mark: { uids: [...uids, 'uid-2'], namespace: 'ns' } },
    { ...unreadable, mark: { uids: ['uid-2'], namespace: 'ns' } },
  ];
  world.deps = { ...world.deps, generationSecrets: () => both as never };
  await world.run();
  assert.equal([world.condition('Ready'), world.condition('Stalled')], ['True Verified', 'True CAPairRefused']);
});

test.run();
