import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, resourcePath } from '../../../src/api/names.ts';
import { writesTo } from '../process/support/audit.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import {
  AT_ONCE,
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { eventually, oneWorld } from '../support/world.ts';

const NAMES = ['h', 'c', 'a', 'g', 'b', 'f', 'd', 'e'];
/** The writes of the step itself are over by then. */
const SETTLED_MS = 2_000;
/** For this long no further status is written. */
const QUIET_MS = 8_000;
/** For this long each status is undone. */
const FIGHT_MS = 12_000;

const shared = oneWorld();
test.after(shared.stop);

test('two active replicas report the same CA rotation, and write it once', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa('First')));
  // Slowly, so that most of them are waited for while this watches.
  const caRotation = { ...AT_ONCE, reissue: { requests: 1, per: '30s' } };
  await createSecretAuthority(world, namespace, 'ca', 'pair', { caRotation });
  const args = ['--trust-propagation', '2s', '--namespaces', namespace];
  const first = await world.controller(args);
  for (const name of NAMES) await create(world, clientCertificate(namespace, name));
  for (const name of NAMES) await untilReady(world, namespace, name);
  // The second replica lists them, so its cache has another order.
  await world.controller(args);
  await putCaSecret(world, namespace, 'pair', pairData(await makeCa('Second')));
  await eventually('the old certificates are waited for', async () => {
    const rotating = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Rotating');
    return rotating?.reason === 'Reissuing' && / such as /.test(rotating.message);
  });
  await sleep(SETTLED_MS);
  const writes = () => writesTo(world, 'certificateauthorities/status', namespace, 'ca');
  const before = (await writes()).length;
  await sleep(QUIET_MS);
  // Each certificate that is re-issued meanwhile costs one write of each replica.
  const after = (await writes()).length;
  assert.ok(after - before <= 2 * NAMES.length, `${after - before} writes in ${QUIET_MS} ms`);
  assert.is(await first.stop(), 0);
});

test('the status of an authority that another controller undoes each time is written ever more slowly', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await world.controller(['--namespaces', namespace]);
  await createAuthority(world, selfManaged(namespace));
  const ready = async () => conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready')?.status === 'True';
  await eventually('it is ready', ready);
  const path = `${resourcePath(CERTIFICATE_AUTHORITIES, namespace, 'ca')}/status`;
  const endsAt = Date.now() + FIGHT_MS;
  let undone = 0;
  for (; Date.now() < endsAt; await sleep(10)) {
    if (!(await ready())) continue;
    await plainApi(world.cluster).send('PATCH', path, { status: { conditions: null } }, 'application/merge-patch+json');
    undone++;
  }
  // Twenty at once, then one in two seconds.
  assert.ok(undone >= 20 && undone <= 20 + FIGHT_MS / 2_000 + 2, `undone ${undone} times`);
  await eventually('it comes back', ready);
});

test.run();
