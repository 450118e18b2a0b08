import { test } from 'uvu';
import { kubeApiserver } from './servers/kube-apiserver.ts';
import { proveServer } from './support/prove-server.ts';

await proveServer(kubeApiserver);

test.run();
