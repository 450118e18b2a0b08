/**
 * https://github.com/cert-manager/cert-manager/issues/8380 (also 4846, 5675 and 7828): another controller, such as External
 * Secrets, writes the Secret of a certificate back each time. The two of them write in turn without a pause, and the
 * certificate is issued tens of thousands of times while it is said to be ready.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUTHORITY_ANNOTATION } from '../../../src/api/names.ts';
import { writesTo } from '../process/support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { startRival, type Wish } from './rival.ts';

/** For this long the rivals write, so that the pauses between our own writes grow. */
const FIGHT_MS = 20_000;
/** Five at once; then after 4, 8 and 16 s. */
const MOST_ACTS = 5 + 3;
const MANAGER = 'external-secrets';
const OLD = 'CertificateAuthority/old';

const rivals = lazily(async (): Promise<Record<string, { wish: Wish; says: RegExp }>> => {
  const ca = await makeCa('Foreign');
  const theirs = tlsData(await makeLeaf(ca, 'rewritten'));
  return {
    rewritten: {
      wish: ({ data = {} }) => (data['tls.crt'] === theirs['tls.crt'] ? undefined : { data: theirs }),
      says: /field manager "external-secrets" writes .*data\.tls\.crt/,
    },
    bundle: {
      wish: ({ data = {} }) => ('ca.crt' in data ? { data: { 'ca.crt': null } } : undefined),
      says: /ca\.crt is missing/,
    },
    deleted: { wish: () => 'delete', says: /is deleted again and again/ },
    remembered: {
      wish: ({ metadata }) =>
        metadata?.annotations?.[AUTHORITY_ANNOTATION] === OLD
          ? undefined
          : { metadata: { annotations: { [AUTHORITY_ANNOTATION]: OLD } } },
      says: /field manager "external-secrets" writes metadata\.annotations\.certwheel\.io\/authority/,
    },
    labelled: {
      wish: ({ metadata }) =>
        metadata?.labels?.team === 'payments' ? { metadata: { labels: { team: 'shop' } } } : undefined,
      says: /field manager "external-secrets" writes metadata\.labels\.team/,
    },
  };
});

const scene = oneScene({}, async ({ world, namespace }) => {
  const secretTemplate = { labels: { team: 'payments' } };
  const all = await rivals.get();
  for (const name of Object.keys(all)) await create(world, clientCertificate(namespace, name, { secretTemplate }));
  for (const name of Object.keys(all)) await untilReady(world, namespace, name);
  // A bystander on the same authority, which must not be affected.
  await create(world, clientCertificate(namespace, 'bystander'));
  await untilReady(world, namespace, 'bystander');
  const fighting = Object.entries(all).map(([name, { wish }]) =>
    startRival(world, namespace, `${name}-tls`, MANAGER, wish),
  );
  await sleep(FIGHT_MS);
  return { fighting };
});
test.after(scene.stop);

for (const name of ['rewritten', 'bundle', 'deleted', 'remembered', 'labelled'])
  test(`a Secret that is ${name} again and again costs a few writes, and status names the writer`, async () => {
    const { world, controller, namespace } = await scene.get();
    const { says } = (await rivals.get())[name] ?? {};
    const status = await statusOf(world, namespace, name);
    const told = [conditionOf(status, 'Ready'), conditionOf(status, 'Issuing')].find(
      (each) => each?.reason === 'SecretContested',
    );
    assert.ok(told, JSON.stringify(status.conditions));
    assert.match(told.message, says ?? /never/);
    const acts = controller.logs.filter(
      (line) =>
        ['certificate issued', 'Secret repaired'].includes(line.message) &&
        line.namespace === namespace &&
        line.name === name,
    );
    assert.ok(acts.length >= 5 && acts.length <= MOST_ACTS + 1, `${acts.length} acts`);
    assert.ok(signatures(controller, namespace, name) <= MOST_ACTS + 1, 'no signature more than that');
    const statusWrites = await writesTo(world, 'clientcertificates/status', namespace, name);
    assert.ok(statusWrites.length <= 4 * MOST_ACTS, `${statusWrites.length} status writes`);
    const warnings = (await eventsOf(world, namespace, name)).filter(({ reason }) => reason === 'SecretContested');
    assert.is(warnings.length, 1, 'one Warning');
  });

test('the metric names each contested certificate, and no other', async () => {
  const { controller, namespace } = await scene.get();
  const lines = (await controller.metrics())
    .split('\n')
    .filter((line) => line.startsWith('certwheel_certificate_slowed{'));
  const named = lines.filter((line) => line.includes(`namespace="${namespace}"`));
  assert.is(named.length, 5, named.join('\n'));
  assert.ok(named.every((line) => line.includes('reason="SecretContested"') && line.endsWith(' 1')));
  assert.is(signatures(controller, namespace, 'bystander'), 1);
});

test('a Secret that the rival holds is never Ready, and all recover within a minute after the rival stops', async () => {
  const { world, namespace, fighting } = await scene.get();
  for (const name of ['rewritten', 'bundle', 'deleted'])
    assert.is(conditionOf(await statusOf(world, namespace, name), 'Ready')?.status, 'False', name);
  for (const rival of fighting) await rival.stop();
  for (const name of ['rewritten', 'bundle', 'deleted', 'remembered', 'labelled'])
    await untilReady(world, namespace, name);
  const labelled = async () =>
    (
      await world.client.get(
        { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true },
        namespace,
        'labelled-tls',
      )
    )?.metadata?.labels?.team === 'payments';
  await eventually('the label is back', labelled);
});

test.run();
