/** A controller that is restarted while a new CA waits: what was seen before counts on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, GENERATION_GATE_ANNOTATION, ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { go } from '../../interop/servers/go.ts';
import { generationSecrets } from '../authority/swap.ts';
import { FLAGS, putServerCa, startVerifier, verifierAt } from '../probes/verifier-world.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { patchAuthority } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { AT_ONCE, authorityStatusOf, clientCertificate, create, selfManaged, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { watchSecrets } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

test('a restart costs a new CA none of the time that it has waited, though its verifiers are asked again', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const [v1, v2] = [await makeCa('v1'), await makeCa('v2')];
  const server = await startVerifier(go, v1.certificate + v2.certificate);
  if (typeof server === 'string') throw new Error(server);
  const flags = ['--namespaces', namespace, '--trust-propagation', '1h', '--trust-targets', 'configMaps', ...FLAGS];
  const controller = await world.controller(flags);
  await putServerCa(world, namespace);
  await putCaSecret(world, namespace, 'ca-pair', pairData(v1));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: {
      secret: { name: 'ca-pair' },
      caRotation: AT_ONCE,
      trust: {
        targets: [{ name: 'servers', configMap: { name: 'client-ca' }, requiredProof: 'Written' }],
        verifiers: [verifierAt('go', server.port)],
      },
    },
  });
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
  await putCaSecret(world, namespace, 'ca-pair', pairData(v2));

  const next = await eventually('the new CA is trusted, and workloads load it', async () => {
    const all = await generationSecrets(world, namespace);
    return all.find(({ metadata }) => metadata?.annotations?.[GENERATION_GATE_ANNOTATION] !== undefined);
  });
  const secrets = await watchSecrets(world, namespace);
  await controller.kill();
  const restarted = await world.controller(flags);
  await eventually('the verifier is asked again', async () =>
    /^certwheel_verifier_trusts\{.*\} 1$/m.test(await restarted.metrics()),
  );
  const look = { metadata: { annotations: { look: 'again' } } };
  await patchAuthority(world, namespace, 'ca', look);
  await sleep(QUIET_MS);
  const { name = '', annotations = {} } = next.metadata ?? {};
  for (const { object } of secrets.versions(name))
    assert.is(object.metadata?.annotations?.[GENERATION_GATE_ANNOTATION], annotations[GENERATION_GATE_ANNOTATION]);
  const [plan] = (await authorityStatusOf(world, namespace, 'ca')).caRotation?.plan ?? [];
  assert.is(plan?.reason, 'Propagating');
});

/** An authority of 20 s of propagation with one target and a client of a day, whose new CA is trusted and waits. */
async function waitingForPropagation() {
  const world = await shared.get();
  const namespace = await world.namespace();
  const flags = ['--namespaces', namespace, '--trust-propagation', '20s', '--trust-targets', 'configMaps'];
  const controller = await world.controller(flags);
  const targets = [{ name: 'servers', configMap: { name: 'client-ca' }, requiredProof: 'Written' }];
  await world.client.create(CERTIFICATE_AUTHORITIES, selfManaged(namespace, 'ca', { trust: { targets } }));
  await create(world, clientCertificate(namespace, 'client', { duration: '24h' }));
  await untilReady(world, namespace, 'client');
  // After the CA was made, which may have been in this second.
  const annotations = { [ROTATE_CA_ANNOTATION]: new Date(Date.now() + 2_000).toISOString() };
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
  await eventually('the new CA is in the target, and waits', async () => {
    const { generations, trust } = await authorityStatusOf(world, namespace, 'ca');
    const isWaiting = generations?.some(({ state }) => state === 'Prepared' || state === 'Trusted') === true;
    return isWaiting && trust?.targets?.[0]?.fingerprintsSHA256?.length === 2;
  });
  const untilActive = () =>
    eventually('the new CA signs', async () => {
      return (await authorityStatusOf(world, namespace, 'ca')).activeGeneration === 2;
    });
  return { world, namespace, controller, flags, untilActive };
}

test('a CA that waits when the controller is killed goes on, though nothing happens after the start', async () => {
  const { world, controller, flags, untilActive } = await waitingForPropagation();
  await controller.kill();
  const restarted = await world.controller(flags);
  await untilActive();
  await restarted.stop();
});

test('a CA rotation that was paused goes on when that is over', async () => {
  const { world, namespace, controller, untilActive } = await waitingForPropagation();
  const pause = (paused: boolean) => patchAuthority(world, namespace, 'ca', { spec: { caRotation: { paused } } });
  await pause(true);
  await eventually('it is paused', async () => {
    const { caRotation } = await authorityStatusOf(world, namespace, 'ca');
    return caRotation?.plan?.some(({ reason }) => reason === 'Paused');
  });
  await pause(false);
  await untilActive();
  await controller.stop();
});

test.run();
