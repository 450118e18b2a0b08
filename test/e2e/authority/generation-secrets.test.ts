import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, SECRETS } from '../../../src/api/names.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { createSecret, deleteSecret, patchSecret } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';
import { untilAll } from './history.ts';
import { generationSecrets, startSwap } from './swap.ts';

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '2s'] });
test.after(scene.stop);

const NO_MARKS = {
  metadata: {
    annotations: {
      'certwheel.io/generation-state': null,
      'certwheel.io/generation-state-since': null,
      'certwheel.io/generation-source': null,
      'certwheel.io/generation-uids': null,
      'certwheel.io/generation-namespace': null,
    },
  },
};

/** An authority of either kind with one certificate, and the serial number of that certificate. */
async function oneCertificate(here: World, kind: 'secret' | 'selfManaged') {
  const namespace = await here.namespace();
  if (kind === 'secret') {
    await putCaSecret(here, namespace, 'pair', pairData(await makeCa('Kept')));
    await createSecretAuthority(here, namespace, 'ca', 'pair');
  } else await createAuthority(here, selfManaged(namespace));
  await create(here, clientCertificate(namespace, 'alice', { duration: '1h' }));
  await untilReady(here, namespace, 'alice');
  const fingerprint = await eventually('its status tells the generation', async () => {
    const { generations } = await authorityStatusOf(here, namespace, 'ca');
    return generations?.[0]?.fingerprintSHA256;
  });
  const serial = async () => (await readSecret(here, namespace, 'alice-tls'))?.leaf.serialNumber;
  return { namespace, fingerprint, serial, first: await serial() };
}

test('the Secret of a generation is immutable but for its marks', async () => {
  const { world: here } = await scene.get();
  const { namespace } = await oneCertificate(here, 'selfManaged');
  const refused = await patchSecret(here, namespace, 'ca-ca-v1', { data: { 'tls.key': 'AAAA' } }).catch(
    (error: Error) => error,
  );
  assert.instance(refused, Error);
  const [kept] = await generationSecrets(here, namespace);
  assert.is((kept as { immutable?: boolean }).immutable, true);
  assert.is(kept?.metadata?.ownerReferences, undefined);
});

for (const kind of ['secret', 'selfManaged'] as const) {
  test(`marks that are removed are written again, and nothing is re-issued (${kind})`, async () => {
    const { world: here } = await scene.get();
    const { namespace, serial, first, fingerprint } = await oneCertificate(here, kind);
    await patchSecret(here, namespace, 'ca-ca-v1', NO_MARKS);
    await eventually('the generation is active again', async () => {
      const [kept] = await generationSecrets(here, namespace);
      return kept?.metadata?.annotations?.['certwheel.io/generation-state'] === 'Active';
    });
    await sleep(QUIET_MS);
    assert.is(await serial(), first);
    assert.is((await generationSecrets(here, namespace)).length, 1);
    const { generations } = await authorityStatusOf(here, namespace, 'ca');
    assert.equal(
      generations?.map((each) => [each.version, each.state, each.fingerprintSHA256]),
      [[1, 'Active', fingerprint]],
    );
  });

  test(`an authority that is deleted leaves its key, and a new one of the same name uses it again (${kind})`, async () => {
    const { world: here } = await scene.get();
    const { namespace, serial, first, fingerprint } = await oneCertificate(here, kind);
    const stored = await here.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca');
    await here.client.delete(CERTIFICATE_AUTHORITIES, namespace, 'ca');
    await eventually('nobody is issued any more', async () => {
      const probe = clientCertificate(namespace, 'late');
      await create(here, probe).catch(() => {});
      return untilReady(here, namespace, 'late', { status: 'False', reason: 'AuthorityNotFound' });
    });
    assert.is((await generationSecrets(here, namespace)).length, 1);
    const { spec } = stored as { spec: object };
    await here.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'ca' }, spec });
    await untilReady(here, namespace, 'late');
    const { generations } = await authorityStatusOf(here, namespace, 'ca');
    assert.equal(
      generations?.map((each) => [each.version, each.fingerprintSHA256]),
      [[1, fingerprint]],
    );
    assert.is(await serial(), first);
  });
}

test('marks that are removed during a swap fail no handshake, and the swap goes on', async () => {
  const { world: here } = await scene.get();
  const swap = await startSwap(here, { clients: ['alice'] });
  await swap.put(swap.cas.v2);
  await eventually('the new one is prepared', async () => (await generationSecrets(here, swap.namespace)).length === 2);
  await patchSecret(here, swap.namespace, 'ca-ca-v1', NO_MARKS);
  await swap.untilOnly(swap.cas.v2);
  await swap.stop();
  assert.equal(swap.traffic.failures(), []);
});

test('a deletion of the old CA during a swap leaves every Secret whole, and re-issues all certificates', async () => {
  const { world: here } = await scene.get();
  const swap = await startSwap(here, { clients: ['alice'] });
  await swap.put(swap.cas.v2);
  await eventually('the new one is prepared', async () => (await generationSecrets(here, swap.namespace)).length === 2);
  await deleteSecret(here, swap.namespace, 'ca-ca-v1');
  await swap.untilOnly(swap.cas.v2);
  await untilAll(
    'all are of the new CA',
    swap.history,
    ({ issuer, trusted }) => issuer === 'v2' && trusted[0] === 'v2',
  );
  await swap.stop();
  for (const { issuer, trusted } of swap.history.states)
    assert.ok(trusted.includes(issuer), `a certificate of ${issuer} beside a ca.crt of ${trusted}`);
});

test('a generation that is deleted is created again from the same pair, and nothing is re-issued', async () => {
  const { world: here } = await scene.get();
  const { namespace, serial, first, fingerprint } = await oneCertificate(here, 'secret');
  const kept = await here.client.get(SECRETS, namespace, 'ca-ca-v1');
  await deleteSecret(here, namespace, 'ca-ca-v1');
  const [made] = await eventually('it is there again, with its key', async () => {
    const all = await generationSecrets(here, namespace);
    return all.length === 1 && Boolean(all[0]?.data?.['tls.key']) && all;
  });
  assert.is(made?.metadata?.name, 'ca-ca-v2', 'a number is never used again');
  assert.is(made?.data?.['tls.key'], kept?.data?.['tls.key']);
  await sleep(QUIET_MS);
  assert.is(await serial(), first);
  const status = await authorityStatusOf(here, namespace, 'ca');
  assert.is(status.generations?.find(({ state }) => state === 'Active')?.fingerprintSHA256, fingerprint);
});

test('a generation that a crash left without its key is completed', async () => {
  const { world: here } = await scene.get();
  const namespace = await here.namespace();
  const labels = { 'certwheel.io/authority-name': 'ca', 'certwheel.io/authority-kind': 'CertificateAuthority' };
  const blank = await createSecret(here, namespace, 'ca-ca-v1', {
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
    labels,
  });
  await createAuthority(here, selfManaged(namespace));
  await create(here, clientCertificate(namespace, 'alice'));
  await untilReady(here, namespace, 'alice');
  const [only, ...others] = await generationSecrets(here, namespace);
  assert.is(only?.metadata?.uid, blank.metadata?.uid);
  assert.equal(others, []);
});

test('a self-managed key that is deleted is lost: a new CA takes over and its certificates follow', async () => {
  const { world: here } = await scene.get();
  const { namespace, serial, first } = await oneCertificate(here, 'selfManaged');
  await deleteSecret(here, namespace, 'ca-ca-v1');
  await eventually('the certificate is of the new CA', async () => (await serial()) !== first);
  const secret = await readSecret(here, namespace, 'alice-tls');
  assert.is(secret?.leaf.issuer, 'CN=Test ca v2');
  await untilReady(here, namespace, 'alice');
});

test('a foreign Secret under the name of a generation is reported, and never touched', async () => {
  const { world: here } = await scene.get();
  const namespace = await here.namespace();
  await createSecret(here, namespace, 'ca-ca-v1', { data: { theirs: 'AAAA' } });
  await createAuthority(here, selfManaged(namespace));
  const ready = await eventually('the authority says so', async () => {
    const condition = conditionOf(await authorityStatusOf(here, namespace, 'ca'), 'Ready');
    return condition?.status === 'False' && condition;
  });
  assert.is(ready.reason, 'SecretNotOwned');
  assert.match(ready.message, `kept in Secret ${namespace}/ca-ca-v1, and that Secret isn't Certwheel's`);
  const theirs = await here.client.get(SECRETS, namespace, 'ca-ca-v1');
  assert.equal(theirs?.data, { theirs: 'AAAA' });
  await deleteSecret(here, namespace, 'ca-ca-v1');
  await create(here, clientCertificate(namespace, 'alice'));
  await untilReady(here, namespace, 'alice');
});

test.run();
