import { test } from 'uvu';
import { envoy } from './servers/envoy.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(envoy);

test.run();
