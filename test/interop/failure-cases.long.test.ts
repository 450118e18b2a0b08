import { test } from 'uvu';
import { proveCases } from './support/cases/prove-cases.ts';

proveCases({ long: true });

test.run();
