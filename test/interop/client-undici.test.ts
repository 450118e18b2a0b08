import { test } from 'uvu';
import { undici } from './clients/node.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(undici);

test.run();
