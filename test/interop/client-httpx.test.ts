import { test } from 'uvu';
import { httpx } from './clients/python.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(httpx);

test.run();
