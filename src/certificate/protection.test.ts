import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root, signLeafOf } from '../../test/pki/make.ts';
import { occupation, purposeOf, reservationOf, type SecretUse } from './protection.ts';

test.run();
