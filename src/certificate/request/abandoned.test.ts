import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, root } from '../../../test/pki/make.ts';
import { aCertificate, HOUR } from '../../../test/unit/builders.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { anOwnAuthority } from '../../../test/unit/own-authority.ts';
import { bench, fails, signal } from '../../../test/unit/request-bench.ts';
import { thrownBy } from '../../../test/unit/thrown-by.ts';
import type { IssueRequest } from '../../backends/backend.ts';
import { DeniedError, RetryableError } from '../../errors.ts';
import { AbandonedRequests } from './abandoned.ts';
import type { NextKey } from './next-key.ts';

test('a former authority that does not remove its request holds up no new one, and is asked again later', async () => {
  const one = bench();
  await one.look(one.wait);
  one.keepsRequests = true;
  const elsewhere = { ...one.view, origin: 'origin 2' };
  await one.look(one.wait, aCertificate().build(), elsewhere);
  assert.is.not(one.asked[0]?.id, one.asked[1]?.id);
  assert.is(one.keys.view()?.id, one.asked[1]?.id);
  assert.equal(
    one.warnings.map(({ request, error }) => [request, error]),
    [[one.asked[0]?.id, 'a webhook does not answer']],
  );
  const again = await one.tidy();
  assert.equal(one.forgotten, []);
  one.keepsRequests = false;
  await one.clock.advance((again?.getTime() ?? 0) - one.clock.now().getTime());
  assert.is(await one.tidy(), undefined);
  assert.equal([one.forgotten, one.left()], [[one.asked[0]?.id], 0]);
});

test('an authority that removes no request is not asked for the same certificate without end', async () => {
  for (const answer of [
    fails(new RetryableError('RequestFailed', 'gone')),
    async (request: IssueRequest) => anOwnAuthority([await root()], new FakeClock(NOW)).backend.issue(request, signal),
  ]) {
    const one = bench();
    one.keepsRequests = true;
    const error = (await thrownBy(one.look(answer))) as RetryableError;
    assert.ok(['RequestFailed', 'InvalidAnswer'].includes(error.code), error.code);
    assert.ok('secret' in (await one.look(one.sign)));
    assert.is.not(one.asked[0]?.id, one.asked[1]?.id);
    assert.is(one.left(), 1);
  }
});

test('a denied request is removed later too, also after its certificate was deleted', async () => {
  const one = bench();
  one.keepsRequests = true;
  await thrownBy(one.look(fails(new DeniedError('RequestDenied', 'no'))));
  one.keepsRequests = false;
  await one.clock.advance(HOUR);
  assert.is(await one.tidyAfterGone(), undefined);
  assert.equal([one.forgotten, one.left()], [[one.asked[0]?.id], 0]);
});

test('the removal of a request is given up after a day', async () => {
  const one = bench();
  one.keepsRequests = true;
  await thrownBy(one.look(fails(new RetryableError('RequestFailed', 'gone'))));
  const started = one.clock.now().getTime();
  let tries = 0;
  for (let again = await one.tidy(); again !== undefined; again = await one.tidy()) {
    tries++;
    await one.clock.advance(again.getTime() - one.clock.now().getTime());
  }
  const tookMs = one.clock.now().getTime() - started;
  assert.ok(tries < 40 && tookMs > 20 * HOUR && tookMs < 30 * HOUR, `${tries} tries in ${tookMs} ms`);
  assert.is(one.left(), 0);
});

test('the number of requests to be removed later is bounded', () => {
  const left = new AbandonedRequests();
  const next = (n: number) => ({ id: `${n}` }) as NextKey;
  let kept = 0;
  for (let n = 0; n < 5_000; n++) if (left.failed(`team/${n % 3_000}`, next(n), 0, 0.5)) kept++;
  assert.is(left.size, 1_000);
  assert.is(kept, 1_000);
  for (let n = 0; n < 5_000; n++) left.done(`team/${n % 3_000}`, next(n));
  assert.is(left.size, 0);
});

test.run();
