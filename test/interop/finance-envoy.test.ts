import { test } from 'uvu';
import { stopAll } from '../teardown.ts';
import { installEnvoy } from './servers/envoy.ts';
import { available } from './support/available.ts';
import { proveFinance } from './support/prove-finance.ts';

test.after(stopAll);
const envoy = await available('Envoy', () => installEnvoy('finance.yaml'));
if (envoy !== undefined) proveFinance('Envoy', async () => envoy);

test.run();
