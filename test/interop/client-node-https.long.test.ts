import { test } from 'uvu';
import { nodeHttps } from './clients/node.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(nodeHttps, { long: true });

test.run();
