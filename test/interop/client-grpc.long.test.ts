import { test } from 'uvu';
import { grpc } from './clients/grpc.ts';
import { proveClient } from './support/prove-client.ts';

await proveClient(grpc, { long: true });

test.run();
