import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { x5cSubject } from './step-ca-login-subjects.ts';

conformance(x5cSubject);

test.run();
