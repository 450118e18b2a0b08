import { test } from 'uvu';
import { conformance } from './conformance.ts';
import { pkcs11Subject } from './pkcs11-subject.ts';

conformance(pkcs11Subject);

test.run();
