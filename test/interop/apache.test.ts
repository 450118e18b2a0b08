import { test } from 'uvu';
import { apache } from './servers/apache.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(apache);

test.run();
