import * as assert from 'uvu/assert';
import type { Readers } from '../readers/readers.ts';
import { EXCEPTIONS } from './exceptions.ts';
import { huntDifferences } from './hunt.ts';

/** So many certificates have each exception. */
const MANY = 10_000;

/** Fails where readers differ about random certificates of the seeds from `seed` on, and prints how to see them again. */
export async function expectAgreement(readers: Readers, seed: number, count: number): Promise<void> {
  const { differences, exceptions } = await huntDifferences(readers, seed, count);
  console.log(`# ${count} random certificates from LINT_SEED=${seed}`);
  for (const each of EXCEPTIONS)
    console.log(`# exception: ${exceptions.get(each) ?? 0} x ${each.kind}: ${each.reason}`);
  const lines = [...differences].map(
    ([kind, { count: times, seed: first, der, difference }]) =>
      `${times} x ${kind}: ${difference.details}\n    LINT_SEED=${first} node test/run.ts test/lint/readers.test.ts\n    ${der.toString('base64')}`,
  );
  // Not as the message of the assertion, which uvu prints twice.
  if (lines.length > 0) console.log(lines.join('\n'));
  assert.is(differences.size, 0, 'there are differences');
  const unused = EXCEPTIONS.filter((each) => count >= MANY && !exceptions.has(each));
  assert.equal(unused, [], 'exceptions that match no difference any more');
}
