import { test } from 'uvu';
import { node } from './servers/node.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(node, { long: true });

test.run();
