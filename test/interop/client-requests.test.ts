import { test } from 'uvu';
import { requests } from './clients/python.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(requests);

test.run();
