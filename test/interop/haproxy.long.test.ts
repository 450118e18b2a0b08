import { test } from 'uvu';
import { haproxy } from './servers/haproxy.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(haproxy, { long: true });

test.run();
