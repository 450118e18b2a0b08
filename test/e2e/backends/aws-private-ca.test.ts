import { test } from 'uvu';
import { awsPrivateCaSubject } from './aws-private-ca-subject.ts';
import { conformance } from './conformance.ts';

conformance(awsPrivateCaSubject);

test.run();
