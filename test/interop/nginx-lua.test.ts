import { test } from 'uvu';
import { nginxLua } from './servers/nginx-lua.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(nginxLua);

test.run();
