import { test } from 'uvu';
import { acmeSubject } from './acme-subject.ts';
import { conformance } from './conformance.ts';

conformance(acmeSubject);

test.run();
