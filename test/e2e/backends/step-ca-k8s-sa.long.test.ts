import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { k8sSASubject } from './step-ca-login-subjects.ts';

conformance(k8sSASubject);

test.run();
