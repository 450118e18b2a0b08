/** Whoever may write ConfigMaps in the controller's namespace wants a revoked certificate to be good again. */

import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { type Holder, root } from '../../pki/make.ts';
import { hence, ocspVerdict, revoked } from '../../unit/responder-world.ts';
import { CrlWorld } from '../revocation/crl-world.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { startRevocationResponder } from '../support/responder-process.ts';
import { eventually, oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

const LIFE = { notBefore: hence(-48), notAfter: hence(4_800) };

/** A responder that says of a certificate that it is revoked, and the ConfigMap from before that. */
async function scene() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const ca = await root(LIFE);
  const authority = new CrlWorld(world, namespace, ca);
  const responder = await startRevocationResponder(world, namespace);
  authority.url = responder.url;
  const bad = await authority.issue();
  await authority.look();
  await responder.sync();
  const name = `certwheel-crl-${authority.uid}-v1`;
  const before = await world.client.get(CONFIG_MAPS, namespace, name);
  authority.aheadMs = 10_000;
  authority.revoked = [revoked(bad)];
  await authority.look();
  const says = (word: string) => async () => (await verdictOn(bad)).includes(word);
  const verdictOn = (holder: Holder) => ocspVerdict(`${responder.url}/ocsp/${authority.uid}/v1`, [holder], [], ca);
  await eventually('it is revoked', says('Cert Status: revoked'));
  /** Overwrites the ConfigMap with the content of another one. */
  const plant = (from: RawObject | undefined) =>
    world.apply(CONFIG_MAPS, {
      metadata: { namespace, name, labels: from?.metadata?.labels, annotations: from?.metadata?.annotations },
      data: from?.data,
      binaryData: from?.binaryData,
    });
  return { world, namespace, authority, responder, bad, before, verdictOn, plant };
}

test('the CRL from before the revocation, with the signature of the CA, is not served', async () => {
  const { bad, before, plant, verdictOn, responder, authority } = await scene();
  const path = `/crl/${authority.uid}/v1.crl`;
  const { body } = await responder.ask(path);
  await plant(before);
  await sleep(QUIET_MS);
  assert.match(await verdictOn(bad), 'Cert Status: revoked');
  assert.ok((await responder.ask(path)).body.equals(body));
});

test('the CRL of a CA of the attacker is served under that name neither as a CRL nor by OCSP', async () => {
  const { world, bad, plant, verdictOn, authority, responder, namespace } = await scene();
  const theirs = new CrlWorld(world, await world.namespace(), await root({ ...LIFE, commonName: 'Theirs' }));
  await theirs.look();
  const from = await world.client.get(CONFIG_MAPS, theirs.namespace, `certwheel-crl-${theirs.uid}-v1`);
  const labels = { 'certwheel.io/crl-of': authority.uid };
  await plant({ ...from, metadata: { ...from?.metadata, labels } });
  await sleep(QUIET_MS);
  assert.match(await verdictOn(bad), 'Cert Status: revoked');
  // After a restart nothing is known of the former CRL, but the key for answers is that of the right CA.
  const restarted = await startRevocationResponder(world, namespace);
  await restarted.sync();
  const asked = () => ocspVerdict(`${restarted.url}/ocsp/${authority.uid}/v1`, [bad], [], caOf(authority));
  await eventually('it answers', async () => (await asked()).includes('trylater'));
  const isHidden = async () => (await restarted.ask(`/crl/${authority.uid}/v1.crl`)).status === 404;
  await eventually('the keys are read, and the CRL is not served', isHidden);
  assert.match(await asked(), 'trylater');
  assert.ok(responder.isRunning() && restarted.isRunning());
});

function caOf({ generations }: CrlWorld): Holder {
  const certificate = generations[0]?.path.certificate;
  if (certificate === undefined) throw new Error('no CA');
  return { certificate, key: undefined as never };
}

test('a ConfigMap that is damaged or deleted in parts changes nothing that is served', async () => {
  const { world, namespace, bad, verdictOn, authority } = await scene();
  const name = `certwheel-crl-${authority.uid}-v1`;
  const change = { binaryData: { crl: 'AAAA' }, metadata: { annotations: { 'certwheel.io/crl-digest': 'x' } } };
  await world.cluster.kubectl(['patch', 'configmap', name, '-n', namespace, '-p', JSON.stringify(change)]);
  await sleep(QUIET_MS);
  assert.match(await verdictOn(bad), 'Cert Status: revoked');
  authority.aheadMs += 6 * 60_000;
  const { problems, crls } = await authority.look();
  assert.equal([problems, crls.map(({ entries }) => entries)], [[], [1]]);
});

test.run();
