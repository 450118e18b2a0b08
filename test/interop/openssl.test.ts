import { test } from 'uvu';
import { openssl } from './servers/openssl.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(openssl);

test.run();
