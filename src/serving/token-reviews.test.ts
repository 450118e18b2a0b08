import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from '../api/names.ts';
import { ApiError } from '../errors.ts';
import { TokenReviews } from './token-reviews.ts';

/**
 * A fake API server, since these tests pass a minute in no time: token `good` is Alice, who has the right, `other` is Bob,
 * who has not. The real one is in test/e2e/process/metrics-access.test.ts.
 */
function scene() {
  const asked: string[] = [];
  let nowMs = 0;
  let isDown = false;
  const create = async (
    resource: { readonly plural: string },
    { spec }: { readonly spec: Record<string, unknown> },
  ) => {
    asked.push(`${resource.plural} ${spec.token ?? spec.user}`);
    if (isDown) throw new ApiError(0, 'NoAnswer', 'the connection was refused');
    if (resource.plural === SUBJECT_ACCESS_REVIEWS.plural) return { status: { allowed: spec.user === 'alice' } };
    assert.is(resource.plural, TOKEN_REVIEWS.plural);
    const username = { good: 'alice', other: 'bob' }[String(spec.token)];
    return { status: username === undefined ? { error: 'expired' } : { authenticated: true, user: { username } } };
  };
  const reviews = new TokenReviews({ create } as never, { monotonicMs: () => nowMs });
  return {
    reviews,
    asked,
    pass: (ms: number) => {
      nowMs += ms;
    },
    setDown: (down: boolean) => {
      isDown = down;
    },
  };
}

test('a user with the right is allowed, one without is forbidden, no user is unauthenticated', async () => {
  const { reviews, asked } = scene();
  assert.is(await reviews.of('good'), 'allowed');
  assert.is(await reviews.of('other'), 'forbidden');
  assert.is(await reviews.of('forged'), 'unauthenticated');
  const access = SUBJECT_ACCESS_REVIEWS.plural;
  assert.equal(asked, [
    'tokenreviews good',
    `${access} alice`,
    'tokenreviews other',
    `${access} bob`,
    'tokenreviews forged',
  ]);
});

test('a verdict is cached for a minute, also while its review is in progress', async () => {
  const { reviews, asked, pass } = scene();
  await Promise.all([reviews.of('good'), reviews.of('good'), reviews.of('forged')]);
  pass(59_999);
  await Promise.all([reviews.of('good'), reviews.of('forged')]);
  assert.is(asked.length, 3);
  pass(1);
  await reviews.of('good');
  assert.is(asked.length, 5);
});

test('a failed review allows nothing and is not cached', async () => {
  const { reviews, asked, setDown } = scene();
  setDown(true);
  for (let attempt = 0; attempt < 2; attempt += 1)
    assert.instance(await reviews.of('good').catch((error) => error), ApiError);
  assert.is(asked.length, 2);
  setDown(false);
  assert.is(await reviews.of('good'), 'allowed');
});

test('a flood of tokens is throttled, and evicts no verdict that is still valid', async () => {
  const { reviews, asked, pass } = scene();
  await reviews.of('good');
  let turnedAway = 0;
  for (let index = 0; index < 5_900; index += 1) {
    if ((await reviews.of(`forged-${index}`)) === 'throttled') turnedAway += 1;
    pass(10);
  }
  assert.ok(turnedAway > 5_000, `${turnedAway} were turned away`);
  const before = asked.length;
  assert.ok(before < 700, `${before} were asked`);
  assert.is(await reviews.of('good'), 'allowed');
  assert.is(asked.length, before);
});

test('a token that was allowed is reviewed again, whatever flood there is', async () => {
  const { reviews, pass } = scene();
  for (let index = 0; index < 30_000; index += 1) {
    if (index % 3_000 === 0) assert.is(await reviews.of('good'), 'allowed', `after ${index / 100} s`);
    await reviews.of(`forged-${index}`);
    pass(10);
  }
});

test.run();
