import { test } from 'uvu';
import { stopAll } from '../teardown.ts';
import { installNginx } from './servers/nginx.ts';
import { available } from './support/available.ts';
import { proveFinance } from './support/prove-finance.ts';

test.after(stopAll);
const nginx = await available('nginx', () => installNginx('finance.conf'));
if (nginx !== undefined) proveFinance('nginx', async () => nginx);

test.run();
