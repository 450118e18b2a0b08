import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { lines } from '../process/support/fleet.ts';
import { patchAuthority, renewAt, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { untilNextSecond } from '../support/moments.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

const policyFor = (maxCertificates: number) => ({
  issuancePolicy: { rules: [{ name: 'clients', commonNames: ['*'], maxCertificates }] },
});

const scene = oneScene({ authority: policyFor(2) }, async ({ world, namespace }) => {
  for (const name of ['first', 'second', 'third', 'fourth']) {
    await create(world, clientCertificate(namespace, name));
    // Creation times are whole seconds, and those of one second have no order that a test could know.
    await untilNextSecond();
  }
});
test.after(scene.stop);

async function untilWaiting(name: string) {
  const { world, namespace } = await scene.get();
  return untilReady(world, namespace, name, { type: 'Issuing', reason: 'TooManyCertificates' });
}

test('the oldest certificates under a rule are issued, and the others wait with the reason', async () => {
  const { world, controller, namespace } = await scene.get();
  for (const name of ['first', 'second']) await untilReady(world, namespace, name);
  for (const name of ['third', 'fourth']) {
    const status = await untilWaiting(name);
    assert.is(conditionOf(status, 'Ready')?.reason, 'TooManyCertificates');
    const message = conditionOf(status, 'Issuing')?.message ?? '';
    assert.match(
      message,
      `rule clients of CertificateAuthority ca allows namespace ${namespace} 2 ClientCertificates, and older`,
    );
    assert.match(message, 'delete one that is not needed (kubectl get ccert');
    assert.is(await readSecret(world, namespace, `${name}-tls`), undefined);
    assert.is(signatures(controller, namespace, name), 0);
  }
});

test('the rule is in the line before each signature, and the metrics count what it permits and what waits', async () => {
  const { controller, namespace } = await scene.get();
  const signed = lines(controller.logs, 'signing');
  assert.equal(signed.map(({ name, rule }) => [name, rule]).sort(), [
    ['first', 'clients'],
    ['second', 'clients'],
  ]);
  const authority = `authority="CertificateAuthority/${namespace}/ca"`;
  const series = [
    `certwheel_issuances_by_rule_total{${authority},rule="clients"} 2\n`,
    `certwheel_certificates_not_permitted{${authority},reason="TooManyCertificates"} 2\n`,
  ];
  await eventually('the metrics say so', async () => {
    const metrics = await controller.metrics();
    return series.every((each) => metrics.includes(each));
  });
});

test('a deleted certificate makes room for the next in line alone', async () => {
  const { world, controller, namespace } = await scene.get();
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'first');
  await untilReady(world, namespace, 'third');
  await sleep(QUIET_MS);
  await untilWaiting('fourth');
  assert.is(signatures(controller, namespace, 'fourth'), 0);
});

test('a certificate that is over a lower maximum is not renewed, and keeps its Secret', async () => {
  const { world, namespace } = await scene.get();
  await patchAuthority(world, namespace, 'ca', { spec: policyFor(1) });
  const { serialNumber, ...status } = await untilWaiting('third');
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  for (const name of ['second', 'third']) await renewAt(world, namespace, name);
  await untilRevision(world, namespace, 'second-tls', 2);
  await sleep(QUIET_MS);
  assert.is((await statusOf(world, namespace, 'third')).serialNumber, serialNumber);
});

test('a higher maximum lets all of them in', async () => {
  const { world, namespace } = await scene.get();
  await patchAuthority(world, namespace, 'ca', { spec: policyFor(3) });
  await untilReady(world, namespace, 'fourth');
  await untilRevision(world, namespace, 'third-tls', 2);
});

test.run();
