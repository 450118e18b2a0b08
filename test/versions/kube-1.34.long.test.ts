import { test } from 'uvu';
import { testsVersion } from './versions-suite.ts';

// Lists by a stream, as the newest does and the oldest doesn't.
testsVersion('1.34');

test.run();
