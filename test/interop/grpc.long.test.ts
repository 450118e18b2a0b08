import { test } from 'uvu';
import { grpc } from './servers/grpc.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(grpc, { long: true });

test.run();
