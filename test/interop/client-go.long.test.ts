import { test } from 'uvu';
import { go } from './clients/go.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(go, { long: true });

test.run();
