/** The long form of readers.test.ts: ten thousand certificates, other ones each time. */
import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import { lazily } from '../e2e/support/lazily.ts';
import { numberFrom } from '../pki/repeat.ts';
import { expectAgreement } from './random/report.ts';
import { startReaders } from './readers/readers.ts';

const readers = lazily(startReaders);
test.after(readers.stop);

test('all read the same out of 10,000 random certificates', async () => {
  await expectAgreement(await readers.get(), numberFrom('LINT_SEED') ?? randomInt(2 ** 31), 10_000);
});

test.run();
