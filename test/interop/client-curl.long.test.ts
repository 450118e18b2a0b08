import { test } from 'uvu';
import { curl } from './clients/curl.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(curl, { long: true });

test.run();
