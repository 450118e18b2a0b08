import { test } from 'uvu';
import { postgresql } from './servers/postgresql.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(postgresql);

test.run();
