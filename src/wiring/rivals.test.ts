import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type OneNamespace, oneNamespace } from '../../test/unit/one-namespace.ts';
import { NO_RECORD } from '../certificate/secret/record.ts';

const MANY = 1_000;
const rivals = Array.from({ length: MANY }, (_, index) => `rival-${index}`);

let world: OneNamespace;
test.before.each(() => {
  world = oneNamespace();
});
test.after.each(() => world.stop());

interface Cost {
  readonly runs: number;
  /** Reads of Secrets past the cache. */
  readonly reads: number;
  readonly statuses: number;
}

async function costOf(change: () => void, ms = 1_000): Promise<Cost> {
  const [runs, requests] = [world.runs(), world.requests.length];
  change();
  await world.clock.advance(ms);
  const made = world.requests.slice(requests);
  const reads = made.filter((each) => each.startsWith('GET')).length;
  return { runs: world.runs() - runs, reads, statuses: made.length - reads };
}

/** One that holds the Secret, and so many younger ones that name it too. */
function crowd(): Promise<Cost> {
  return costOf(() => {
    world.certificate('holder', 0);
    world.secret('holder');
    for (const [index, name] of rivals.entries()) world.certificate(name, 1 + index);
  });
}

const belongsTo = (name: string) =>
  new RegExp(`^SecretConflict: Secret common-tls belongs to ClientCertificate ${name},`);

test('resources that name the Secret of another are refused without a read of it, and their status is written once', async () => {
  const { reads, statuses } = await crowd();
  assert.equal([reads, statuses], [0, MANY + 1]);
  for (const name of rivals) assert.match(world.ready(name), belongsTo('holder'));
});

test('a change of a Secret that thousands of resources name wakes its holder alone, and the others do not read it later', async () => {
  await crowd();
  assert.equal(await costOf(() => world.secret('holder')), { runs: 1, reads: 0, statuses: 0 });
  assert.equal(await costOf(() => {}, 10 * 60_000), { runs: 0, reads: 0, statuses: 0 });
});

test('another resource that names the Secret wakes no other resource', async () => {
  await crowd();
  assert.equal(await costOf(() => world.certificate('latest', MANY + 1)), { runs: 1, reads: 0, statuses: 1 });
});

test('a spec that changes in the line wakes no other', async () => {
  await crowd();
  assert.equal(await costOf(() => world.certificate('rival-7', 8, { duration: '2h' })), {
    runs: 1,
    reads: 0,
    statuses: 1,
  });
});

test('when the holder is deleted, the oldest takes the Secret once that is gone, and the others name the oldest', async () => {
  const holder = world.certificate('holder', 0);
  world.secret('holder');
  for (const [index, name] of rivals.entries()) world.certificate(name, 1 + index);
  await world.clock.advance(1_000);
  const once = await costOf(() => world.deleteCertificate(holder), 0);
  assert.ok(once.runs <= 2 && once.reads <= 1, `${once.runs} runs and ${once.reads} reads at once`);
  assert.match(world.ready('rival-0'), /^SecretNotOwned/);
  const later = await costOf(() => {}, 60_000);
  assert.is(later.statuses, MANY - 1);
  for (const name of rivals.slice(1)) assert.match(world.ready(name), belongsTo('rival-0'));
  const gone = await costOf(() => world.deleteSecret(), 1_000);
  assert.ok(gone.runs <= 2 && gone.reads <= 2, `${gone.runs} runs and ${gone.reads} reads`);
  assert.match(world.ready('rival-0'), /^AuthorityNotFound/);
});

test('when the holder names another Secret, the next one is woken', async () => {
  world.certificate('holder', 0);
  for (const [index, name] of ['next', 'last'].entries()) world.certificate(name, 1 + index);
  world.secret('holder');
  await world.clock.advance(1_000);
  for (const name of ['next', 'last']) assert.match(world.ready(name), belongsTo('holder'));
  world.certificate('holder', 0, { secretName: 'another-tls' });
  await world.clock.advance(1_000);
  assert.match(world.ready('next'), /^SecretNotOwned/);
  assert.match(world.ready('last'), belongsTo('next'));
});

test('a resource that can not be read any more gives its place to the next one', async () => {
  world.certificate('first', 0);
  for (const [index, name] of ['next', 'last'].entries()) world.certificate(name, 1 + index);
  await world.clock.advance(1_000);
  world.certificate('first', 0, { duration: 'nonsense' });
  await world.clock.advance(1_000);
  assert.match(world.ready('next'), /^AuthorityNotFound/);
  assert.match(world.ready('last'), belongsTo('next'));
});

test('the younger one that holds a Secret for which its namespace has no room is not refused', async () => {
  world.certificate('older', 0);
  world.certificate('younger', 9);
  world.secret('younger');
  world.cluster.secrets.revise('team/common-tls', world.secretVersion(), NO_RECORD);
  await world.clock.advance(1_000);
  world.certificate('younger', 9, { duration: '2h' });
  world.certificate('older', 0, { duration: '2h' });
  await world.clock.advance(1_000);
  // What it lacks is an authority for its new spec.
  assert.match(world.ready('younger'), /^AuthorityNotFound/);
  assert.match(world.ready('older'), belongsTo('younger'));
});

test('the one that holds the Secret goes before an older one', async () => {
  world.certificate('younger', 9);
  world.secret('younger');
  world.certificate('older', 0);
  world.certificate('oldest', -1);
  await world.clock.advance(1_000);
  assert.match(world.ready('younger'), /^Issued/);
  for (const name of ['older', 'oldest']) assert.match(world.ready(name), belongsTo('younger'));
  world.deleteSecret();
  await world.clock.advance(5_000);
  assert.match(world.ready('oldest'), /^AuthorityNotFound/);
  for (const name of ['older', 'younger']) assert.match(world.ready(name), belongsTo('oldest'));
});

test.run();
