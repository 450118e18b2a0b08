import { test } from 'uvu';
import { java } from './clients/java.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(java);

test.run();
