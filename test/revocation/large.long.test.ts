/** The list of a large fleet: 5 MB. */
import { test } from 'uvu';
import { proveLarge } from './support/prove-large.ts';

await proveLarge(100_000);

test.run();
