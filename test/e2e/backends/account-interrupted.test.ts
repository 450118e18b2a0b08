import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import { filesOf, runAccount } from './account-run.ts';
import { newToken, startCloudflare } from './cloudflare-world.ts';

test.after(stopAll);

test('on Ctrl-C a run revokes what it made, and nothing that was there before', async () => {
  const { fake, caPem } = await startCloudflare(100);
  const { CA: ca, MANAGED: managed } = filesOf({ CA: fake.ca, MANAGED: caPem });
  const { child, ended } = runAccount('cloudflare', {
    CLOUDFLARE_ZONE_ID: fake.zone.zone,
    CLOUDFLARE_API_TOKEN: newToken(fake),
    CLOUDFLARE_MANAGED_CA: managed,
    CLOUDFLARE_SERVER: fake.url,
    CLOUDFLARE_CA_BUNDLE: ca,
    NODE_EXTRA_CA_CERTS: ca,
  });
  await eventually('some certificates are issued', async () => fake.zone.active.length >= 2, 90_000);
  child.kill('SIGINT');
  const { code, output } = await ended;
  assert.is(code, 130, output);
  assert.match(output, 'ending, and removing at the service what can be removed');
  assert.is(fake.zone.active.length, 0, output);
});

test.run();
