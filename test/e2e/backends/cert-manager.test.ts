import { test } from 'uvu';
import { certManagerSubject } from './cert-manager-subject.ts';
import { conformance } from './conformance.ts';

conformance(certManagerSubject);

test.run();
