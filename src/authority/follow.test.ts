/** An authority that another replica reconciles: what is known of it here, and that nothing is written. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthorityWorld, another, KEY } from '../../test/unit/authority-world.ts';
import { RUN } from '../../test/unit/builders.ts';
import { AuthorityError } from '../errors.ts';
import type { AuthorityDeps } from './deps.ts';
import { reconcileAuthority } from './reconcile.ts';
import { Registry } from './registry.ts';

/** Another replica on the same cluster, which doesn't have the authority. */
function followerOf(world: AuthorityWorld, more: Partial<AuthorityDeps> = {}) {
  const deps: AuthorityDeps = { ...world.deps, registry: new Registry(), isFollowed: () => true, ...more };
  return { view: () => deps.registry.get(KEY)?.view, run: () => reconcileAuthority(KEY, deps, RUN) };
}

test('it signs with the CA that the owner made, and writes nothing', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  const follower = followerOf(world);
  const before = world.journal.lines.length;
  await follower.run();
  assert.equal(world.journal.lines.slice(before), ['woken']);
  assert.is(follower.view()?.signing?.version, 1);
  assert.equal(follower.view()?.trust.hash, world.runtime?.view?.trust.hash);
});

test('it goes through a CA rotation behind the owner, with the same trust at each step', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  const follower = followerOf(world);
  world.wanted = another;
  const seen: (number | undefined)[] = [];
  for (let step = 0; step < 200; step++) {
    await world.run();
    world.follow();
    const before = world.journal.lines.length;
    await follower.run();
    const written = world.journal.lines.slice(before).filter((line) => !/^woken|^released/.test(line));
    assert.equal(written, []);
    assert.is(follower.view()?.trust.hash, world.runtime?.view?.trust.hash);
    seen.push(follower.view()?.signing?.version);
    await world.clock.advance(10_000);
  }
  assert.equal([...new Set(seen)], [1, 2]);
});

test('without a CA it issues nothing, and makes none', async () => {
  const world = new AuthorityWorld();
  const follower = followerOf(world);
  await follower.run();
  assert.is(follower.view()?.signing, undefined);
  assert.equal(world.journal.lines, ['woken']);
});

test('what fails is tried again, and is in no status', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  const error = new AuthorityError('AuthorityUnreachable', 'no answer');
  const follower = followerOf(world, {
    generationSecrets: () => {
      throw error;
    },
  });
  const before = world.journal.lines.length;
  const thrown = await follower.run().catch((each: unknown) => each);
  assert.is(thrown, error);
  assert.equal(world.journal.lines.slice(before), ['woken']);
});

test('one that is gone is forgotten without a write', async () => {
  const world = new AuthorityWorld();
  await world.settle();
  const follower = followerOf(world);
  await follower.run();
  world.isGone = true;
  const before = world.journal.lines.length;
  await follower.run();
  assert.is(follower.view(), undefined);
  assert.equal(world.journal.lines.slice(before), ['woken', 'hidden']);
});

test.run();
