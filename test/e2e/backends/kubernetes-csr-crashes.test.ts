import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_SIGNING_REQUESTS, CONFIG_MAPS } from '../../../src/api/names.ts';
import { patch, renewAt, untilRevision } from '../support/edits.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { faultsOfHistory, watchSecrets } from '../support/secret-witness.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { approvingAuthority } from './place.ts';
import { untilTidy } from './support.ts';

// Controllers that die at any line, and two at once, on the way to certificates that come later.

const CRASHES = 10;
const CERTIFICATES = Array.from({ length: CRASHES }, (_, index) => `client-${index}`);

const shared = oneWorld({ controllers: ['certificatesigningrequest-signing-controller'] });
test.after(shared.stop);

/** A namespace with an authority that approves by itself, whose trust is in a ConfigMap there: it is the controllers' own. */
async function place(world: World) {
  const namespace = await world.namespace();
  const data = { 'ca.crt': readFileSync(world.cluster.caPath, 'utf8') };
  await world.client.create(CONFIG_MAPS, { metadata: { namespace, name: 'trust' }, data });
  const of = await approvingAuthority(world, namespace, {
    signerName: 'kubernetes.io/kube-apiserver-client',
    trustBundle: { configMap: { name: 'trust' } },
  });
  return { namespace, of, flags: ['--controller-namespace', namespace] };
}

test('two controllers, one of which dies again and again: every Secret is right at all times, and nothing is left over', async () => {
  const world = await shared.get();
  const { namespace, of, flags } = await place(world);
  const witness = await watchSecrets(world, namespace);
  const steady = await world.controller(flags);
  for (const name of CERTIFICATES) await create(world, clientCertificate(namespace, name, of));
  for (let crash = 0; crash < CRASHES; crash++) {
    const dying = world.launch(flags);
    // Whether and how far it comes is another each time.
    await sleep(1_000);
    await renewAt(world, namespace, CERTIFICATES[crash] ?? '');
    await sleep(crash * 130);
    await dying.kill();
  }
  for (const name of CERTIFICATES) await untilReady(world, namespace, name, {}, 45_000);
  await untilTidy(world, CERTIFICATE_SIGNING_REQUESTS, namespace);
  for (const name of CERTIFICATES) {
    const versions = witness.versions(`${name}-tls`);
    assert.equal(faultsOfHistory(versions), [], name);
    const { revision = 0 } = await statusOf(world, namespace, name);
    assert.ok(revision <= 3, `${name} was issued ${revision} times`);
  }
  await steady.stop();
});

test('a leader that dies leaves its requests to the next one', async () => {
  const world = await shared.get();
  const { namespace, of, flags } = await place(world);
  const first = await world.controller(['--leader-elect', ...flags]);
  await create(world, clientCertificate(namespace, 'alice', of));
  await eventually(
    'the key is kept',
    async () => (await readSecret(world, namespace, 'alice-next').catch(() => true)) !== undefined,
  );
  await first.kill();
  const second = await world.controller(['--leader-elect', ...flags]);
  await untilReady(world, namespace, 'alice', {}, 45_000);
  await untilTidy(world, CERTIFICATE_SIGNING_REQUESTS, namespace);
  await second.stop();
});

test('a change of the trust bundle reaches every ca.crt, and issues nothing', async () => {
  const world = await shared.get();
  const { namespace, of, flags } = await place(world);
  const controller = await world.controller(flags);
  await create(world, clientCertificate(namespace, 'alice', of));
  const before = await untilRevision(world, namespace, 'alice-tls', 1);
  const next = await makeCa('the next CA');
  const both = `${before.bundle}${next.certificate}`;
  await patch(world, CONFIG_MAPS, namespace, 'trust', { data: { 'ca.crt': both } });
  const after = await eventually('both are in ca.crt', async () => {
    const secret = await readSecret(world, namespace, 'alice-tls');
    return secret?.bundle.includes(next.certificate.trim()) && secret;
  });
  assert.is(after.chain, before.chain);
  await controller.stop();
});

test.run();
