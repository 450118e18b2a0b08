import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { msBetween } from '../process/support/audit.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { renewAt } from '../support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, statusOf, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const BEHIND_BROKEN = 50;

/** For this long nothing is written about certificates that wait for a broken authority. */
const QUIET_MS = 5_000;

const scene = oneScene({ authority: false });
test.after(scene.stop);

const BROKEN = {
  'an authority without its Secret': async (world: World, namespace: string) => {
    await createSecretAuthority(world, namespace, 'broken', 'nowhere');
  },
  'an authority whose CA has expired': async (world: World, namespace: string) => {
    const notAfter = new Date(Date.now() - 60_000);
    await putCaSecret(world, namespace, 'expired', pairData(await makeCa('expired', { notAfter })));
    await createSecretAuthority(world, namespace, 'broken', 'expired');
  },
};

for (const [what, make] of Object.entries(BROKEN)) {
  test(`${what} with ${BEHIND_BROKEN} certificates doesn't slow the certificate of another authority`, async () => {
    const { world } = await scene.get();
    const namespace = await world.namespace();
    await make(world, namespace);
    await createAuthority(world, selfManaged(namespace));
    const untilStatus = (name: string) =>
      msBetween(
        world,
        { resource: 'clientcertificates', namespace, name },
        { resource: 'clientcertificates/status', namespace, name },
      );
    await create(world, clientCertificate(namespace, 'alone'));
    await untilReady(world, namespace, 'alone');
    const alone = await untilStatus('alone');
    await Promise.all(
      Array.from({ length: BEHIND_BROKEN }, (_, index) =>
        create(world, clientCertificate(namespace, `stuck-${index}`, { authorityRef: { name: 'broken' } })),
      ),
    );
    await create(world, clientCertificate(namespace, 'beside'));
    await untilReady(world, namespace, 'beside');
    const beside = await untilStatus('beside');
    assert.ok(beside < 2_000, `${beside} ms beside ${BEHIND_BROKEN} that can't be issued, ${alone} ms alone`);

    for (let index = 0; index < BEHIND_BROKEN; index++)
      await untilReady(world, namespace, `stuck-${index}`, { status: 'False', reason: 'AuthorityNotReady' });
    const before = await versions(world, namespace);
    await renewAt(world, namespace, 'beside');
    await eventually('it is renewed', async () => (await statusOf(world, namespace, 'beside')).revision === 2);
    const renewed = await untilStatus('beside');
    assert.ok(renewed < 2_000, `renewed in ${renewed} ms`);
    await sleep(QUIET_MS);
    assert.equal(await versions(world, namespace), before, 'nothing is written about those that wait');
    if (process.env.DEBUG) console.error(`${what}: ${alone} ms alone, ${beside} ms beside, renewed in ${renewed} ms`);
  });
}

async function versions({ client }: World, namespace: string): Promise<Record<string, string>> {
  const { items } = await client.list(CLIENT_CERTIFICATES, { namespace });
  return Object.fromEntries(
    items
      .map(({ metadata }) => [metadata?.name ?? '', metadata?.resourceVersion ?? ''] as const)
      .filter(([name]) => name.startsWith('stuck-')),
  );
}

test.run();
