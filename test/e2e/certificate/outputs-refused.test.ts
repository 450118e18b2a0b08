import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Admission, alterSecrets, refuseSecrets } from '../support/admission.ts';
import { createSecret, deleteSecret, patchSecret, renewAt } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

/** Within this time come five attempts: at once, and after about 1, 2, 4 and 8 s. */
const ATTEMPTS = 5;
const passwordSecretRef = { name: 'store', key: 'password' };
const OUTPUTS = {
  additionalOutputFormats: [{ type: 'DER' }],
  keystores: { jks: { create: true, passwordSecretRef } },
};

const REFUSALS: Readonly<
  Record<string, { readonly says: RegExp; enforce(world: World, namespace: string): Promise<Admission> }>
> = {
  'takes keystore.jks out of Secrets': {
    says: /SecretAltered: .*\(data\.keystore\.jks\)/,
    enforce: (world, namespace) =>
      alterSecrets(world, namespace, `JSONPatch{op: "remove", path: "/data/keystore.jks"}`, [has('keystore.jks')]),
  },
  'replaces keystore.jks': {
    says: /SecretAltered: .*\(data\.keystore\.jks\)/,
    enforce: (world, namespace) =>
      alterSecrets(world, namespace, `JSONPatch{op: "replace", path: "/data/keystore.jks", value: "eA=="}`, [
        has('keystore.jks'),
      ]),
  },
  'denies Secrets with key.der': {
    says: /SecretRefused: .*no keys in DER/,
    enforce: (world, namespace) => refuseSecrets(world, namespace, 'no keys in DER', [has('key.der')]),
  },
};

function has(name: string): string {
  return `has(object.data) && "${name}" in object.data`;
}

const scene = oneScene({ authority: false });
test.after(scene.stop);

/** A namespace with an authority and the password of the stores. */
async function place(world: World): Promise<string> {
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await createSecret(world, namespace, 'store', { data: { password: Buffer.from('changeit').toString('base64') } });
  return namespace;
}

async function refusedFiles({ says, enforce }: (typeof REFUSALS)[string]): Promise<void> {
  const { world, controller } = await scene.get();
  const namespace = await place(world);
  const policy = await enforce(world, namespace);
  await create(world, clientCertificate(namespace, 'new', OUTPUTS));
  const status = await eventually('five attempts have failed', async () => {
    const found = await statusOf(world, namespace, 'new');
    return (found.lastFailure?.attempts ?? 0) >= ATTEMPTS && found;
  });
  assert.match(conditionOf(status, 'Issuing')?.message ?? '', says);
  assert.is(signatures(controller, namespace, 'new'), 1, 'the attempts after the first sign nothing');
  await policy.lift();
  await untilReady(world, namespace, 'new');
}

/** All at the same time, since most of it is waiting. */
const begun = lazily(async () => {
  await scene.get();
  return new Map(
    Object.entries(REFUSALS).map(([what, refusal]) => {
      const running = refusedFiles(refusal);
      // The error belongs to the test of this refusal.
      running.catch(() => {});
      return [what, running] as const;
    }),
  );
});

for (const what of Object.keys(REFUSALS))
  test(`an admission that ${what} costs one signature, and is named`, async () => (await begun.get()).get(what));

test('an immutable Secret is reported before its certificate ends, signs nothing, and comes anew once it is deleted', async () => {
  const { world, controller } = await scene.get();
  const namespace = await place(world);
  await create(world, clientCertificate(namespace, 'fixed', OUTPUTS));
  await untilReady(world, namespace, 'fixed');
  await patchSecret(world, namespace, 'fixed-tls', { immutable: true });
  const says = async () => {
    const { conditions = [] } = await statusOf(world, namespace, 'fixed');
    return conditions.find(({ message = '' }) => message.includes('is immutable'))?.message;
  };
  const message = await eventually('the status says that it is immutable', says);
  assert.match(message, `kubectl delete secret -n ${namespace} fixed-tls`);
  assert.is(conditionOf(await statusOf(world, namespace, 'fixed'), 'Ready')?.status, 'True');
  await renewAt(world, namespace, 'fixed');
  await patchSecret(world, namespace, 'store', { data: { password: 'b3RoZXI=' } });
  await sleep(3_000);
  assert.is(signatures(controller, namespace, 'fixed'), 1);
  const before = await readSecret(world, namespace, 'fixed-tls');
  await deleteSecret(world, namespace, 'fixed-tls');
  await eventually('there is another one', async () => {
    const after = await readSecret(world, namespace, 'fixed-tls');
    return after !== undefined && after.leaf.serialNumber !== before?.leaf.serialNumber;
  });
  await untilReady(world, namespace, 'fixed');
  await eventually('the status reports it no more', async () => (await says()) === undefined);
});

test.run();
