import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { vaultSubject } from './vault-subject.ts';

conformance(vaultSubject);

test.run();
