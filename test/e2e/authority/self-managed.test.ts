import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startAppHere } from '../support/app-here.ts';
import { QUIET_MS } from '../support/eventually.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { opensslVerify } from '../support/openssl.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { type History, watchSecrets } from './history.ts';
import { generationSecrets } from './swap.ts';
import { provesThreeSteps } from './three-steps.ts';

const MINUTE = 60_000;
const PROPAGATION_MS = 2_000;

const shared = oneWorld();
test.after(shared.stop);

test('a root is created once, under a name with its version, and kept over restarts', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const first = await world.controller(['--namespaces', namespace]);
  const subject = { organizations: ['Example'] };
  await createAuthority(world, selfManaged(namespace, 'ca', { selfManaged: { commonName: 'Demo', subject } }));
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  const before = await readSecret(world, namespace, 'alice-tls');
  assert.is(before?.leaf.issuer, 'O=Example\nCN=Demo v1');
  const generations = (await authorityStatusOf(world, namespace, 'ca')).generations;
  assert.is(generations?.length, 1);
  assert.is(generations?.[0]?.state, 'Active');
  for (const end of ['stop', 'kill'] as const) {
    await first[end]();
    const next = await world.controller(['--namespaces', namespace]);
    await create(world, clientCertificate(namespace, `after-${end}`));
    await untilReady(world, namespace, `after-${end}`);
    await next.stop();
  }
  const after = await readSecret(world, namespace, 'alice-tls');
  assert.is(after?.leaf.serialNumber, before?.leaf.serialNumber);
  assert.is(after?.bundle, before?.bundle);
  assert.equal((await authorityStatusOf(world, namespace, 'ca')).generations, generations);
  assert.is((await generationSecrets(world, namespace)).length, 1);
});

test('the root has the algorithm that was asked for, and openssl accepts what it signs', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const controller = await world.controller(['--namespaces', namespace]);
  const kinds: Readonly<Record<string, [object, string]>> = {
    p256: [{}, 'ec prime256v1'],
    p384: [{ algorithm: 'ECDSA', size: 384 }, 'ec secp384r1'],
    p521: [{ algorithm: 'ECDSA', size: 521 }, 'ec secp521r1'],
    ed25519: [{ algorithm: 'Ed25519' }, 'ed25519 '],
    rsa: [{ algorithm: 'RSA', size: 3072 }, 'rsa 3072'],
  };
  for (const [name, [privateKey]] of Object.entries(kinds)) {
    await createAuthority(world, selfManaged(namespace, name, { selfManaged: { commonName: name, privateKey } }));
    await create(world, clientCertificate(namespace, name, { authorityRef: { name } }));
  }
  for (const [name, [, expected]] of Object.entries(kinds)) {
    await untilReady(world, namespace, name);
    const secret = await readSecret(world, namespace, `${name}-tls`);
    if (secret === undefined) throw new Error('there is no Secret');
    assert.is(await opensslVerify(secret.chain, secret.bundle), 'chain.pem: OK');
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = new X509Certificate(secret.bundle).publicKey;
    assert.is(`${type} ${details?.namedCurve ?? details?.modulusLength ?? ''}`, expected);
  }
  await controller.stop();
});

test('a root is succeeded after two thirds of its life, in three steps, and nothing is renewed in vain', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const { setTo } = await startAppHere(world, namespace, ['--trust-propagation', `${PROPAGATION_MS}ms`]);
  await createAuthority(world, selfManaged(namespace, 'ca', { selfManaged: { commonName: 'Short', duration: '1h' } }));
  await create(world, clientCertificate(namespace, 'long', { duration: '24h' }));
  await create(world, clientCertificate(namespace, 'short', { duration: '1m' }));
  const clamped = await untilReady(world, namespace, 'long', { reason: 'CAEndsFirst' });
  await untilReady(world, namespace, 'short', { reason: 'Issued' });
  const { notAfter } = await authorityStatusOf(world, namespace, 'ca');
  assert.is(clamped.notAfter, notAfter, 'it ends with its CA');
  assert.is(clamped.renewalTime, undefined);
  const history = await watchSecrets(world, namespace, ({ subject }) => subject.replace('CN=Short ', ''));

  for (const minutes of [20, 38]) {
    const before = serialOf(history, 'short-tls');
    setTo(minutes * MINUTE);
    await eventually('the clock was noticed', () => serialOf(history, 'short-tls') !== before);
    // No renewal and no new CA follows.
    await sleep(QUIET_MS);
    assert.is(serialOf(history, 'long-tls'), clamped.serialNumber, `renewed in vain after ${minutes} minutes`);
    assert.is((await authorityStatusOf(world, namespace, 'ca')).generations?.length, 1);
  }

  setTo(41 * MINUTE);
  const status = await eventually(
    'the successor is alone',
    async () => {
      const found = await authorityStatusOf(world, namespace, 'ca');
      return found.generations?.[1]?.state === 'Retired' && conditionOf(found, 'Rotating') === undefined && found;
    },
    40_000,
  );
  assert.equal(
    status.generations?.map(({ version, state, subject }) => [version, state, subject]),
    [
      [2, 'Active', 'CN=Short v2'],
      [1, 'Retired', 'CN=Short v1'],
    ],
  );
  await eventually('all have forgotten the old root', () =>
    [...history.before(history.states.length).values()].every(({ trusted }) => trusted.join() === 'v2'),
  );
  provesThreeSteps(history, ['long-tls', 'short-tls'], PROPAGATION_MS);
  const serials = new Set(
    history.states.filter(({ name }) => name === 'long-tls').map(({ secret }) => secret.leaf.serialNumber),
  );
  assert.is(serials.size, 2, 'one certificate of each root');
  const { conditions } = await statusOf(world, namespace, 'long');
  assert.is(conditionOf({ conditions: conditions ?? [] }, 'Ready')?.reason, 'CAEndsFirst');
});

function serialOf(history: History, name: string): string | undefined {
  return history.before(history.states.length).get(name)?.secret.leaf.serialNumber.toLowerCase();
}

test.run();
