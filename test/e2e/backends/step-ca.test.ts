import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { stepCaSubject } from './step-ca-subject.ts';

conformance(stepCaSubject);

test.run();
