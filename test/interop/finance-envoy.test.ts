import { test } from 'uvu';
import { stopAll } from '../teardown.ts';
import { installEnvoy } from './servers/envoy.ts';
import { proveFinance } from './support/prove-finance.ts';

test.after(stopAll);
proveFinance('Envoy', () => installEnvoy('finance.yaml'));

test.run();
