import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { createSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({});
test.after(scene.stop);

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** By what is wrong: the data of the Secret, which has another key beside that of the password; undefined for no Secret. */
const UNUSABLE: Readonly<Record<string, Record<string, string> | undefined>> = {
  'without its Secret': undefined,
  'without its key': { other: 'kept' },
  'that is empty': { password: '', other: 'kept' },
  'with a line break at its end': { password: 'changeit\n', other: 'kept' },
  'that is not ASCII': { password: 'geheimnisträger', other: 'kept' },
};

for (const [index, [what, data]] of Object.entries(UNUSABLE).entries())
  test(`the command in the status mends a password ${what}`, async () => {
    const { world, namespace } = await scene.get();
    const ref = { name: `store-${index}`, key: 'password' };
    if (data !== undefined) {
      const encoded = Object.entries(data).map(([key, text]) => [key, base64(text)]);
      await createSecret(world, namespace, ref.name, { data: Object.fromEntries(encoded) });
    }
    const keystores = { jks: { create: true, passwordSecretRef: ref } };
    await create(world, clientCertificate(namespace, `client-${index}`, { keystores }));
    const wanted = { status: 'False', reason: 'KeystorePasswordUnusable' };
    const status = await untilReady(world, namespace, `client-${index}`, wanted);
    const [, command = ''] = /for example: (.*)$/.exec(conditionOf(status, 'Ready')?.message ?? '') ?? [];
    await runCommands(world, command, commandFolder(world));
    await untilReady(world, namespace, `client-${index}`);
    const secret = await world.client.get(SECRETS, namespace, ref.name);
    assert.is(secret?.data?.other, data && base64('kept'));
  });

test.run();
