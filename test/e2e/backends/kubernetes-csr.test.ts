import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { kubernetesCsrSubject } from './kubernetes-csr-subject.ts';

conformance(kubernetesCsrSubject);

test.run();
