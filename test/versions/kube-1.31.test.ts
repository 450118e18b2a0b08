import { test } from 'uvu';
import { testsVersion } from './versions-suite.ts';

// The oldest Kubernetes that the README promises.
testsVersion('1.31');

test.run();
