import { test } from 'uvu';
import { go } from './servers/go.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(go);

test.run();
