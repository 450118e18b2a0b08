import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { externalSubject } from './external-subject.ts';

conformance(externalSubject);

test.run();
