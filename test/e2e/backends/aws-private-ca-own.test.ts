import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, CLIENT_CERTIFICATES, EVENTS } from '../../../src/api/names.ts';
import { patchAuthority } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { asksForCertificate, awsPrivateCaSubject, serve } from './aws-private-ca-subject.ts';
import { makeSigningCa } from './forging-signer.ts';
import { readyAuthority } from './place.ts';
import { startFakeAws } from './servers/aws.ts';
import type { Shared } from './subject.ts';
import { nextSecret } from './support.ts';

// awsPrivateCA with a controller: answers that come later, are lost, or come to two replicas.

const FLAGS = ['--allow-loopback-authorities'];
const QUIET_MS = 3_000;

const worlds = oneWorld();
const servers = lazily(async () => {
  const aws = await startFakeAws();
  return { aws, ...(await serve(aws)) };
});
test.after(worlds.stop);

let controller: Promise<Shared['controller']> | undefined;
async function shared() {
  const [world, served] = await Promise.all([worlds.get(), servers.get()]);
  controller ??= world.controller(FLAGS);
  served.aws.service.state.polls = 0;
  served.server?.proxy.meddle(undefined);
  return { world, served, controller: await controller };
}

test('a request that AWS answers later is told of, and outlives a crash with its key', async () => {
  const here = await shared();
  const { service } = here.served.aws;
  const { world, namespace } = await readyAuthority(here, awsPrivateCaSubject);
  const booked = service.books.length;
  service.state.polls = 1_000;
  await create(world, clientCertificate(namespace, 'alice'));
  await eventually('its ARN is kept', async () => (await nextSecret(world, namespace, 'alice'))?.metadata?.annotations);
  const told = await eventually('the status says what is waited for', async () => {
    const issuing = conditionOf(await statusOf(world, namespace, 'alice'), 'Issuing');
    return issuing?.reason === 'Pending' && issuing.message;
  });
  const [book] = service.books.slice(booked);
  assert.match(told, `waiting for AWS Private CA to issue ${book?.arn}`);
  const key = (await nextSecret(world, namespace, 'alice'))?.data?.['tls.key'];
  await here.controller.kill();
  controller = world.controller(FLAGS);
  await controller;
  for (const each of service.books) each.polls = 0;
  await untilReady(world, namespace, 'alice', {}, 45_000);
  const secret = await readSecret(world, namespace, 'alice-tls');
  assert.is(secret?.object.data?.['tls.key'], key);
  assert.is(BigInt(`0x${secret?.leaf.serialNumber}`), BigInt(`0x${book?.serial}`));
  assert.is(service.books.length, booked + 1);
  await eventually('the kept key is gone', async () => (await nextSecret(world, namespace, 'alice')) === undefined);
});

test('an answer that is lost is had by the same request, and costs no second certificate', async () => {
  const here = await shared();
  const { aws, server } = here.served;
  const proxy = server?.proxy;
  const { world, namespace } = await readyAuthority(here, awsPrivateCaSubject, proxy?.url);
  const booked = aws.service.books.length;
  let lost = 0;
  proxy?.meddle(async (exchange, pass) => {
    const answer = await pass();
    if (!asksForCertificate(exchange) || lost > 0) return answer;
    lost++;
    throw new Error('the connection breaks');
  });
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice', {}, 45_000);
  assert.equal([lost, aws.service.books.length], [1, booked + 1]);
});

test('a request that failed is made anew, with another key', async () => {
  const here = await shared();
  const { service } = here.served.aws;
  const { world, namespace } = await readyAuthority(here, awsPrivateCaSubject);
  service.state.failures = 1;
  const booked = service.books.length;
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice', {}, 60_000);
  assert.is(service.books.length, booked + 2);
});

test('two controllers at once bring one certificate for each', async () => {
  const here = await shared();
  const { service } = here.served.aws;
  const { world, namespace } = await readyAuthority(here, awsPrivateCaSubject);
  const other = await world.controller(FLAGS);
  try {
    const booked = service.books.length;
    const names = Array.from({ length: 10 }, (_, index) => `client-${index}`);
    await Promise.all(names.map((name) => create(world, clientCertificate(namespace, name))));
    for (const name of names) await untilReady(world, namespace, name, {}, 45_000);
    await sleep(QUIET_MS);
    assert.is(service.books.length, booked + names.length);
    for (const name of names) assert.is((await statusOf(world, namespace, name)).revision, 1, name);
  } finally {
    await other.stop();
  }
});

test('another CA certificate over there begins a CA rotation: both roots are in ca.crt', async () => {
  const here = await shared();
  const { service } = here.served.aws;
  const { world, namespace } = await readyAuthority(here, awsPrivateCaSubject);
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const former = service.ca;
  service.ca = await makeSigningCa();
  const annotations = { 'example.com/touched': new Date().toISOString() };
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
  await eventually('ca.crt has both roots', async () => {
    const secret = await readSecret(world, namespace, 'alice-tls');
    const bundle = Buffer.from(secret?.object.data?.['ca.crt'] ?? '', 'base64').toString();
    return [former, service.ca].every(({ top }) => bundle.includes(top.certificate.pem.trim()));
  });
});

test('no secret key is in the log, in an event or in a status', async () => {
  const { controller: running, served, world } = await shared();
  const objects = await Promise.all(
    [EVENTS, CLIENT_CERTIFICATES, CERTIFICATE_AUTHORITIES].map(async (each) => (await world.client.list(each)).items),
  );
  const told = JSON.stringify([running.logs, running.errors, objects]);
  assert.ok(running.logs.length > 0 && objects.flat().length > 0);
  const secrets = served.aws.secretKeys();
  assert.ok(secrets.length > 4);
  for (const secret of secrets) assert.not.match(told, secret);
});

test.run();
