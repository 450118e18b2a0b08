import { test } from 'uvu';
import { psql } from './clients/psql.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(psql, { long: true });

test.run();
