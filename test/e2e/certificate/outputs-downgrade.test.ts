import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OUTPUTS_ANNOTATION, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { createSecret, renewAt, untilRevision } from '../support/edits.ts';
import { hasItsStore } from '../support/key-stores.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { watchSecrets } from '../support/secret-witness.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';

// An older version, which doesn't know the outputs, has written the Secret meanwhile: without their files, and without what the
// annotations remember of them.

const passwordSecretRef = { name: 'store', key: 'password' };
const OUTPUTS = {
  additionalOutputFormats: [{ type: 'CombinedPEM' }, { type: 'DER' }],
  keystores: { pkcs12: { create: true, passwordSecretRef }, jks: { create: true, passwordSecretRef } },
  secretDataNames: { certificate: 'client.crt', privateKey: 'client.key', ca: 'root.crt' },
};
const STANDARD = ['tls.crt', 'tls.key', 'ca.crt'];

const shared = oneWorld();
test.after(shared.stop);

async function apply({ cluster }: World, manager: string, { metadata, type, data }: RawObject): Promise<void> {
  const { namespace, name, labels, annotations, ownerReferences } = metadata ?? {};
  const object = { metadata: { namespace, name, labels, annotations, ownerReferences }, type, data };
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', ...object }),
  });
}

/** With the files of which `keep` holds. */
function only({ data = {}, ...secret }: RawObject, keep: (file: string) => boolean): RawObject {
  return { ...secret, data: Object.fromEntries(Object.entries(data).filter(([file]) => keep(file))) };
}

for (const [what, hasBackup] of [
  ['are gone', false],
  ['are of an earlier pair, since a backup tool has restored them', true],
] as const)
  test(`after a downgrade and an upgrade all files are of the pair of the Secret, where they ${what}`, async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const args = ['--namespaces', namespace];
    const before = await world.controller(args);
    await createAuthority(world, selfManaged(namespace));
    await createSecret(world, namespace, 'store', { data: { password: Buffer.from('changeit').toString('base64') } });
    await create(world, clientCertificate(namespace, 'client', OUTPUTS));
    await untilReady(world, namespace, 'client');
    const stored = async () => (await world.client.get(SECRETS, namespace, 'client-tls')) ?? {};
    const first = await stored();
    await renewAt(world, namespace, 'client');
    await untilRevision(world, namespace, 'client-tls', 2);
    await before.stop();

    const second = await stored();
    const { [OUTPUTS_ANNOTATION]: _, ...annotations } = second.metadata?.annotations ?? {};
    const bare = { ...second, metadata: { ...second.metadata, annotations } };
    await apply(
      world,
      'certwheel',
      only(bare, (file) => STANDARD.includes(file)),
    );
    assert.equal(Object.keys((await stored()).data ?? {}).sort(), STANDARD.toSorted());
    if (hasBackup)
      await apply(world, 'backup', {
        ...only(first, (file) => !STANDARD.includes(file)),
        metadata: { namespace, name: 'client-tls' },
      });

    const secrets = await watchSecrets(world, namespace);
    const after = await world.controller(args);
    await eventually('the key store is of this pair', async () => hasItsStore(await stored(), 'changeit'));
    await untilReady(world, namespace, 'client');
    const { data = {} } = await stored();
    assert.equal(Object.keys(data).sort(), Object.keys(second.data ?? {}).sort());
    // The stores are salted.
    for (const file of Object.keys(data).filter((each) => !/store/.test(each)))
      assert.is(data[file], second.data?.[file], file);
    for (const file of ['keystore.jks', 'keystore.p12']) assert.is.not(data[file], first.data?.[file], file);
    await secrets.settled();
    // The first is the one that the witness began with.
    assert.is(secrets.versions('client-tls').length, 2);
    await after.stop();
  });

test.run();
