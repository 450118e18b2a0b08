import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { untilAuthority } from '../backends/place.ts';
import { patchAuthority, renewAt, untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import {
  createLapsed,
  FALLBACK,
  playFallback,
  SHORT,
  subjectsIn,
  untilFallback,
  untilIssuingSays,
} from '../support/lapsed.ts';
import { untilNextSecond } from '../support/moments.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  mounted,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { faultOf } from '../support/secret-proof.ts';
import { faultsOfHistory, leafOf, watchSecrets } from '../support/secret-witness.ts';

const scene = oneScene({ authority: false, flags: ['--trust-propagation', '2s'] });
test.after(scene.stop);

test('the fallback of a fallback is not used, and two that name each other don’t wake each other without end', async () => {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'third'));
  await createLapsed(world, namespace, 'reserve', { fallback: { name: 'third' } });
  await createLapsed(world, namespace, 'ca', FALLBACK);
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilIssuingSays(world, namespace, 'one', /reserve issue it: AuthorityNotReady: CAPairRefused/);
  await patchAuthority(world, namespace, 'reserve', { spec: { fallback: { name: 'ca' } } });
  await sleep(3_000);
  const runs = async () =>
    Number(
      /certwheel_workqueue_runs_total\{controller="authorities",outcome="rest"\} (\d+)/.exec(
        await controller.metrics(),
      )?.[1],
    );
  const before = await runs();
  await sleep(5_000);
  const after = await runs();
  assert.ok(after - before < 60, `${after - before} runs in 5 s`);
  assert.is(await readSecret(world, namespace, 'one-tls'), undefined);
});

test('a fallback that is removed and deleted while in use stays trusted until its last certificate is gone', async () => {
  const { world, namespace, putPair } = await playFallback((await scene.get()).world);
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilReady(world, namespace, 'one', { reason: 'IssuedByFallback' });
  await patchAuthority(world, namespace, 'ca', { spec: { fallback: null } });
  await untilFallback(world, namespace, 'False', 'Removed');
  await world.client.delete(CERTIFICATE_AUTHORITIES, namespace, 'reserve');
  await sleep(QUIET_MS);
  const during = await readSecret(world, namespace, 'one-tls');
  assert.is(faultOf(during?.object ?? {}), undefined);
  assert.is(subjectsIn(during?.bundle).length, 2);

  await putPair();
  await untilAuthority({ world, namespace });
  await renewAt(world, namespace, 'one');
  await untilRevision(world, namespace, 'one-tls', 2);
  await eventually('it is no certificate of the fallback', async () => {
    return (await statusOf(world, namespace, 'one')).issuedBy === undefined;
  });
  await eventually(
    'the CA of the fallback leaves ca.crt',
    async () => {
      return !subjectsIn((await readSecret(world, namespace, 'one-tls'))?.bundle).some((each) =>
        each.startsWith('CN=Test reserve'),
      );
    },
    150_000,
  );
  await eventually('status names no fallback', async () => {
    return conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'FallbackReady') === undefined;
  });
});

test('the next CA of a fallback signs during an outage only once it is in the ca.crt of those whom it signs for', async () => {
  const { world } = await scene.get();
  const { namespace } = await playFallback(world);
  const secrets = await watchSecrets(world, namespace);
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilReady(world, namespace, 'one', { reason: 'IssuedByFallback' });
  await untilNextSecond();
  const annotations = { [ROTATE_CA_ANNOTATION]: new Date().toISOString() };
  await patchAuthority(world, namespace, 'reserve', { metadata: { annotations } });
  const generationOf = async (version: number) =>
    (await authorityStatusOf(world, namespace, 'reserve')).generations?.find((each) => each.version === version);
  await eventually('the next CA signs', async () => (await generationOf(2))?.state === 'Active');
  await eventually('the former one leaves', async () => (await generationOf(1))?.state === 'Retiring');
  const held = await readSecret(world, namespace, 'one-tls');
  assert.match(held?.leaf.issuer ?? '', 'Test reserve v1', 'a Secret of the authority holds a certificate of it');
  await eventually(
    'the certificate comes from the next CA',
    async () => (await readSecret(world, namespace, 'one-tls'))?.leaf.issuer.includes('Test reserve v2'),
    90_000,
  );
  await eventually('the former CA is gone', async () => (await generationOf(1))?.state === 'Retired', 90_000);
  await eventually(
    'and has left ca.crt',
    async () =>
      !subjectsIn((await readSecret(world, namespace, 'one-tls'))?.bundle).includes('CN=Test reserve v1') || undefined,
  );

  const versions = secrets.versions('one-tls');
  assert.equal(faultsOfHistory(versions), []);
  const first = versions.findIndex(({ object }) => leafOf(object).issuer.includes('Test reserve v2'));
  const before = mounted(versions[first - 1]?.object ?? {});
  assert.ok(subjectsIn(before.bundle).includes('CN=Test reserve v2'), 'the version before trusts it already');
  assert.ok(subjectsIn(before.bundle).includes('CN=Test reserve v1'));
});

test.run();
