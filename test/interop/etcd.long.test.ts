import { test } from 'uvu';
import { etcd } from './servers/etcd.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(etcd, { long: true });

test.run();
