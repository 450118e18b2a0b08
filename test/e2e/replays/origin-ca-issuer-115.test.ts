/**
 * https://github.com/cloudflare/origin-ca-issuer/issues/115 (also 114 and 116): the API failed to store a certificate, said so
 * as it says that a request is wrong, and the request was given up. Nothing asked again, and the certificate expired.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  asksForCertificate,
  cloudflareSpec,
  newToken,
  putToken,
  startCloudflare,
} from '../backends/cloudflare-world.ts';
import { startMeddler } from '../backends/intercepting-proxy.ts';
import { createAuthority, place, untilAuthority } from '../backends/place.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';

const worlds = oneWorld();
test.after(worlds.stop);

test('a failure of the API that looks like a refusal is tried again, and the certificate is issued', async () => {
  const [world, cloudflare] = [await worlds.get(), await startCloudflare()];
  const { fake } = cloudflare;
  const proxy = await startMeddler({ url: fake.origin, ca: fake.ca }, fake.tls);
  await world.controller(['--allow-loopback-authorities']);
  const where = await place(world);
  const { namespace } = where;
  await putToken(where, newToken(fake));
  await createAuthority(where, 'cloudflare', cloudflareSpec(cloudflare, { server: `${proxy.url}/client/v4` }));
  await untilAuthority(where);
  const errors = [{ code: 1_100, message: 'Failed to write certificate to Database' }];
  const body = JSON.stringify({ success: false, errors, messages: [], result: null });
  proxy.meddle(async (exchange, pass) =>
    asksForCertificate(exchange) ? { status: 400, headers: { 'content-type': 'application/json' }, body } : pass(),
  );
  await create(world, clientCertificate(namespace, 'alice'));
  await eventually('the failure is in the status', async () => {
    const { lastFailure } = await statusOf(world, namespace, 'alice');
    return lastFailure?.reason === 'RequestFailed' && lastFailure.message.includes('1100 Failed to write certificate');
  });
  const status = await statusOf(world, namespace, 'alice');
  assert.is(conditionOf(status, 'Stalled'), undefined);
  assert.ok(status.nextAttemptTime);
  proxy.meddle(undefined);
  await untilReady(world, namespace, 'alice');
  await proxy.stop();
});

test.run();
