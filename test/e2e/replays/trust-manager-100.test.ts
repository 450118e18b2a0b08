/**
 * https://github.com/cert-manager/trust-manager/issues/100: a change of the target removes the CA certificates from the former
 * place first, and writes the new one later, or never, if the same change names a source that can't be used.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { patch } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { makeCa } from '../support/openssl.ts';
import { usedUp } from '../support/quota.ts';
import { oneScene } from '../support/scene.ts';
import {
  ALL_KINDS,
  createClusterAuthority,
  createConfigMap,
  inTeam,
  label,
  pemOf,
  readConfigMap,
  untilGone,
  untilHeld,
  untilStatus,
} from '../trust-targets/support.ts';

const scene = oneScene({ authority: false, isHome: true, flags: ALL_KINDS });
test.after(scene.stop);

const RENAMED = 'renamed-ca';

/** An authority whose target is about to get another name. */
async function begin(team: string) {
  const { world, namespace: home } = await scene.get();
  const namespace = await world.namespace({ team });
  await createClusterAuthority(world, team, [inTeam(team)]);
  const before = pemOf(await untilHeld(world, namespace));
  const target = { ...inTeam(team), configMap: { name: RENAMED } };
  const rename = (trust: object = {}) =>
    patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, '', team, { spec: { trust: { targets: [target], ...trust } } });
  const untilWaiting = (reason: string) => untilStatus(world, team, ({ waiting }) => waiting?.[0]?.reason === reason);
  return { world, home, namespace, before, rename, untilWaiting };
}

test('a target that gets another name holds the CA certificates under one of both at each moment', async () => {
  const { world, namespace, before, rename } = await begin('moved');
  await rename();
  for (;;) {
    const [former, renamed] = [await readConfigMap(world, namespace), await readConfigMap(world, namespace, RENAMED)];
    // Read in this order: where the former is gone, the new one was there before.
    assert.ok(former !== undefined || pemOf(renamed) === before, 'neither holds them');
    if (former === undefined) break;
  }
});

test('the former object stays while a source of the new spec cannot be read, and goes once the new one holds', async () => {
  const { world, home, namespace, before, rename, untilWaiting } = await begin('unread');
  await rename({ sources: [{ name: 'partner', configMap: { name: 'later-ca' } }] });
  await untilWaiting('TrustBundleNotFound');
  await sleep(QUIET_MS);
  assert.is(pemOf(await readConfigMap(world, namespace)), before);
  const partner = await makeCa('partner');
  await createConfigMap(world, home, { 'ca.crt': partner.certificate }, { name: 'later-ca' });
  await untilHeld(world, namespace, 2, RENAMED);
  await untilGone(world, namespace);
});

test('the former object stays while a quota refuses the new one, and a namespace that is not selected any more loses its own', async () => {
  const { world, namespace, before, rename, untilWaiting } = await begin('full');
  const other = await world.namespace({ team: 'full' });
  await untilHeld(world, other);
  const end = await usedUp(world, namespace, 'config-maps', { 'count/configmaps': '1' });
  await rename();
  await untilHeld(world, other, 1, RENAMED);
  await untilGone(world, other);
  await untilWaiting('TrustTargetRefused');
  await label(world, other, { team: null });
  await untilGone(world, other, RENAMED);
  assert.is(pemOf(await readConfigMap(world, namespace)), before);
  await end();
  await untilHeld(world, namespace, 1, RENAMED);
  await untilGone(world, namespace);
});

test.run();
