import { test } from 'uvu';
import { stopAll } from '../teardown.ts';
import { installNginx } from './servers/nginx.ts';
import { proveFinance } from './support/prove-finance.ts';

test.after(stopAll);
proveFinance('nginx', () => installNginx('finance.conf'));

test.run();
