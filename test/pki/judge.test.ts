/**
 * Certwheel and three verifiers (OpenSSL, Go, Java) have to agree about random PKIs. CHAINS_SECONDS says for how long,
 * CHAINS_SEED where to begin, CHAINS_COUNT after how many to stop. Without any of them the same six thousand are judged each
 * time, for 100 seconds at most: new ones are for `make fuzz-chains`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../e2e/support/lazily.ts';
import { describeCase, showCommand } from './random-pki/describe.ts';
import { EXCEPTIONS } from './random-pki/exceptions.ts';
import { type Hunt, hunt } from './random-pki/hunt.ts';
import { numberFrom, seedOfRun } from './repeat.ts';
import { startJudges } from './verifiers/judges.ts';

const isAsked = ['CHAINS_SECONDS', 'CHAINS_SEED', 'CHAINS_COUNT'].some((each) => process.env[each]);
const seconds = numberFrom('CHAINS_SECONDS') ?? 100;
const seed = isAsked ? seedOfRun() : 1_212_926_511;
const count = isAsked ? numberFrom('CHAINS_COUNT') : 6_000;
/** Cases that are printed with all their certificates; the command prints the others. */
const PRINTED_CASES = 3;

const judges = lazily(startJudges);
test.after(judges.stop);

test('what Certwheel calls ready, OpenSSL, Go and Java accept; what all three accept, Certwheel accepts', async () => {
  const found = await hunt(await judges.get(), {
    seed,
    until: AbortSignal.timeout(seconds * 1000),
    ...(count !== undefined && { count }),
  });
  console.log(`# ${found.count} random PKIs from CHAINS_SEED=${seed}: ${found.good} good, ${found.ready} ready`);
  for (const { name } of EXCEPTIONS) console.log(`# exception: ${name}: ${found.exceptions.get(name) ?? 0}`);
  assert.ok(found.count > 0, 'no PKI was examined');
  // A generator that makes hardly any good PKI, or hardly any bad one, finds nothing.
  if (found.count > 500)
    assert.ok(found.good > found.count / 4 && found.good < (found.count * 3) / 4, 'few are good or bad');
  // Not as the message of the assertion, which uvu prints twice.
  if (found.groups.size > 0) console.log(report(found));
  assert.is(found.groups.size, 0, 'there are disagreements');
});

function report({ groups }: Hunt): string {
  const sorted = [...groups].sort(([, a], [, b]) => b.count - a.count);
  const list = sorted.map(
    ([key, { count: times, smallest }]) =>
      `${times} x ${key}\n    ${smallest.disagreement?.reasons.join('; ')}\n    ${showCommand(smallest.seed, smallest.features)}`,
  );
  const cases = sorted.slice(0, PRINTED_CASES).map(([, { smallest }]) => describeCase(smallest));
  return [`${groups.size} disagreements:`, ...list, ...cases].join('\n\n');
}

test.run();
