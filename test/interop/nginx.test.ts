import { test } from 'uvu';
import { nginx } from './servers/nginx.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(nginx);

test.run();
