/**
 * https://github.com/cert-manager/cert-manager/issues/4681 (also 3640): the record of a challenge that failed stayed in the
 * zone. And https://github.com/cert-manager/cert-manager/issues/6308: a challenge that can't succeed was tried again without
 * pause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAuthority, place, untilAuthority } from '../backends/place.ts';
import { bindPrograms, startBind, type TestKey } from '../backends/servers/bind.ts';
import { startChallengeServer } from '../backends/servers/challenges.ts';
import { startPebble } from '../backends/servers/pebble.ts';
import { base64 } from '../backends/vault-world.ts';
import { createSecret } from '../support/edits.ts';
import { clientCertificate, create, statusOf } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';

const worlds = oneWorld();
test.after(worlds.stop);

const KEY: TestKey = {
  name: 'certwheel',
  algorithm: 'hmac-sha256',
  secret: base64('a secret of thirty-two bytes....'),
};
/** Attempts that fail at once are further and further apart: 1, 2, 4 and more seconds, each with its jitter. */
const WATCHED_MS = 25_000;
const MOST_ATTEMPTS = 8;

test('a proof that fails leaves no record, and is tried again with growing pauses', async () => {
  const world = await worlds.get();
  const policy = [`grant ${KEY.name} subdomain example.com. TXT`];
  const bind = await startBind(await bindPrograms(), { keys: [KEY], zones: [{ name: 'example.com', policy }] });
  // The CA asks another name server, which has no records of challenges.
  const elsewhere = await startChallengeServer();
  const pebble = await startPebble(elsewhere);
  const trustBundle = { inline: await pebble.root(), partialChain: false };
  const server = { server: pebble.directory, caBundle: base64(pebble.ca), trustBundle };
  const where = await place(world);
  const { namespace } = where;
  await createSecret(world, namespace, 'tsig', { data: { tsig: base64(KEY.secret) } });
  const nameserver = `127.0.0.1:${bind.port}`;
  const rfc2136 = { nameserver, tsigKeyName: KEY.name, tsigSecretSecretRef: { name: 'tsig', key: 'tsig' } };
  const solvers = [{ dns01: { rfc2136, propagation: { nameservers: [nameserver] } } }];
  await world.controller(['--allow-loopback-authorities']);
  await createAuthority(where, 'acme', { ...server, solvers });
  await untilAuthority(where);
  await create(world, clientCertificate(namespace, 'www', { commonName: undefined, dnsNames: ['www.example.com'] }));
  await eventually('the failure is in the status', async () => {
    const { lastFailure } = await statusOf(world, namespace, 'www');
    return lastFailure?.message.includes('www.example.com is not proven (invalid)');
  });
  await sleep(WATCHED_MS);
  const { attempts = 0 } = (await statusOf(world, namespace, 'www')).lastFailure ?? {};
  assert.ok(attempts >= 2 && attempts <= MOST_ATTEMPTS, `${attempts} attempts`);
  await eventually('between two attempts there is no record', async () => {
    return (await bind.dig('_acme-challenge.www.example.com', 'TXT')).length === 0 || undefined;
  });
  await elsewhere.stop();
  await pebble.stop();
  await bind.stop();
});

test.run();
