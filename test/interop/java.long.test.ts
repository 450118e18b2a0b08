import { test } from 'uvu';
import { java } from './servers/java.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(java, { long: true });

test.run();
