import { test } from 'uvu';
import { caddy } from './servers/caddy.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(caddy, { long: true });

test.run();
