import { test } from 'uvu';
import { javaJks } from './clients/java.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(javaJks, { long: true });

test.run();
