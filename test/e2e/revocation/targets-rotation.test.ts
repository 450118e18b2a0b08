/** A CA rotation of an authority with CRLs in its trust targets: the CRL is there before the CA signs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { certificatesOf } from '../authority/history.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { authorityStatusOf, readSecret } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { eventually } from '../support/world.ts';
import { CRL, crlTargets, target } from './crl-targets.ts';

const { scene, issue, configMap, verdict, crlCondition } = crlTargets();
test.after(scene.stop);

test('a new CA does not sign before its CRL is published and stands in the target', async () => {
  const { world, namespace } = await scene.get();
  const [v1, v2] = [await makeCa('turning'), await makeCa('turning')];
  await putCaSecret(world, namespace, 'turning-pair', pairData(v1));
  const spec = { revocation: {}, ...target('turning') };
  const { metadata } = await createSecretAuthority(world, namespace, 'turning', 'turning-pair', spec);
  await issue('client', 'turning');
  await eventually('the first CRL is there', async () => (await configMap('turning'))?.data?.['ca.crl']);
  // The API server refuses to change it, so that the CRL can't be published.
  const name = `certwheel-crl-${metadata?.uid}-v2`;
  await world.client.create(CONFIG_MAPS, { metadata: { namespace, name }, data: {}, immutable: true } as never);
  await putCaSecret(world, namespace, 'turning-pair', pairData(v2));
  const step = await eventually('the CA rotation waits', async () => {
    const { caRotation } = await authorityStatusOf(world, namespace, 'turning');
    return caRotation?.plan?.find(({ reason }) => reason === 'CRLNotDelivered') ?? false;
  });
  assert.match(step.waitsFor ?? '', 'the CRL of CA generation 2');
  assert.match(step.waitsFor ?? '', 'immutable');
  assert.ok(step.deadline, 'it does not wait for ever');
  await eventually('the condition names the CA', async () => (await crlCondition('turning'))?.reason === 'CRLMissing');
  await sleep(4_000);
  const during = await configMap('turning');
  assert.is(certificatesOf(during?.data?.['ca.crt'] ?? '').length, 2);
  assert.is(
    (await readSecret(world, namespace, 'client-tls'))?.leaf.checkIssued(v1.x509),
    true,
    'the former one signs',
  );

  await world.client.delete(CONFIG_MAPS, namespace, name);
  let delivered: RawObject | undefined;
  await eventually(
    'the new one signs',
    async () => {
      const found = await configMap('turning');
      const blocks = (found?.data?.['ca.crl'] ?? '').split(CRL).length - 1;
      const isNew = (await readSecret(world, namespace, 'client-tls'))?.leaf.verify(v2.x509.publicKey) === true;
      if (blocks === 2 && !isNew) delivered = found;
      return isNew;
    },
    90_000,
    200,
  );
  assert.ok(delivered, 'both CRLs were there before');
  assert.match(await verdict('client', delivered?.data), 'client: OK');
  await eventually('the former CRL leaves with its CA', async () => {
    const { data = {} } = (await configMap('turning')) ?? {};
    return certificatesOf(data['ca.crt'] ?? '').length === 1 && (data['ca.crl'] ?? '').split(CRL).length === 2;
  });
  assert.match(await verdict('client', (await configMap('turning'))?.data), 'client: OK');
});

test('a CA that may not sign CRLs delays its turn until progressDeadline, and is named', async () => {
  const { world, namespace } = await scene.get();
  const v1 = await makeCa('able');
  const v2 = await makeCa('unable', {
    extensions: [
      'basicConstraints = critical, CA:true',
      'keyUsage = critical, keyCertSign',
      'subjectKeyIdentifier = hash',
    ],
  });
  await putCaSecret(world, namespace, 'unable-pair', pairData(v1));
  const caRotation = { soak: '0s', retireAfter: '0s', progressDeadline: '15s' };
  await createSecretAuthority(world, namespace, 'unable', 'unable-pair', {
    revocation: {},
    caRotation,
    ...target('unable'),
  });
  await issue('late', 'unable');
  await eventually('the first CRL is there', async () => (await configMap('unable'))?.data?.['ca.crl']);
  await putCaSecret(world, namespace, 'unable-pair', pairData(v2));
  await eventually('its turn waits, and says why', async () => {
    const { caRotation: seen } = await authorityStatusOf(world, namespace, 'unable');
    const step = seen?.plan?.find(({ reason }) => reason === 'CRLNotDelivered');
    return step?.waitsFor?.includes('lacks cRLSign');
  });
  await eventually(
    'it signs after the deadline',
    async () => (await readSecret(world, namespace, 'late-tls'))?.leaf.verify(v2.x509.publicKey),
    90_000,
    500,
  );
  assert.match((await crlCondition('unable'))?.message ?? '', 'CN=unable');
});

test.run();
