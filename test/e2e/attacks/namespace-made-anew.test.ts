import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CLIENT_CERTIFICATES,
  CERTIFICATE_SIGNING_REQUESTS as CSRS,
  NAMESPACES,
  type Resource,
  SECRETS,
} from '../../../src/api/names.ts';
import { ApiError } from '../../../src/errors.ts';
import { awaitedRequest, requestsFor } from '../backends/support.ts';
import { createSecret } from '../support/edits.ts';
import { PATIENCE_MS, QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// The attack: a namespace is deleted, and created anew without the label that a rule goes by, and its ClientCertificate with it,
// before the controller has seen that. By hand, since the namespace controller takes seconds.

const TEAM = { team: 'yes' };
const NAME = 'client';
/** So many at once, since each is a race. */
const PAIRS = 60;
const PENDING = 15;
const RULES = [
  { name: 'selected', namespaces: { selector: { matchLabels: TEAM } }, commonNames: ['{namespace}.*'] },
  { name: 'filled-in', namespaces: { all: true }, commonNames: ["{namespace}-{namespace.labels['team']}"] },
];
const NAMES: Readonly<Record<string, (namespace: string) => string>> = {
  'a rule selects namespaces by it': (namespace) => `${namespace}.web`,
  'a name is filled in with it': (namespace) => `${namespace}-yes`,
};

const scene = oneScene({ authority: false, isHome: true }, async ({ world, namespace: home }) => {
  const { certificate } = await makeCa('Signer');
  await createSecret(world, home, 'bundle', { data: { 'ca.crt': Buffer.from(certificate).toString('base64') } });
  const backends = {
    quick: { selfManaged: { commonName: 'Teams' } },
    slow: { kubernetesCSR: { signerName: 'example.com/nobody', trustBundle: { secret: { name: 'bundle' } } } },
  };
  for (const [backend, spec] of Object.entries(backends)) {
    await authorityWithRules(world, `${home}-${backend}`, RULES, spec);
  }
  return { home };
});
test.after(scene.stop);

/** Requests that name from the authority. */
async function ask(namespace: string, authority: 'quick' | 'slow', commonName: string) {
  const { world, home } = await scene.get();
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: `${home}-${authority}` };
  // The API server may take a namespace that was made anew for the one that ends, until its own watch brings the new one.
  await eventually(
    `${namespace} takes a ClientCertificate`,
    () =>
      create(world, clientCertificate(namespace, NAME, { authorityRef, commonName })).then(() => true, unlessEnding),
    PATIENCE_MS,
    1,
  );
}

function unlessEnding(error: unknown): false {
  if (error instanceof ApiError && error.message.includes('because it is being terminated')) return false;
  throw error;
}

async function emptied({ client }: World, resource: Resource, namespace: string): Promise<void> {
  const { items } = await client.list(resource, { namespace });
  await Promise.all(items.map(({ metadata }) => client.delete(resource, namespace, metadata?.name ?? '')));
}

/** Deletes a namespace with all that is in it, and creates it anew with these labels. */
async function anew(world: World, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await emptied(world, CLIENT_CERTIFICATES, name);
  await emptied(world, SECRETS, name);
  await world.client.delete(NAMESPACES, undefined, name);
  const gone = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } };
  await plainApi(world.cluster).send('PUT', `/api/v1/namespaces/${name}/finalize`, gone);
  await world.client.create(NAMESPACES, { metadata: { name, labels } });
}

const labelled = async (count: number) => {
  const { world } = await scene.get();
  return Promise.all(Array.from({ length: count }, () => world.namespace(TEAM)));
};

for (const [sentence, nameFor] of Object.entries(NAMES)) {
  test(`where ${sentence}, a namespace that is created anew without the label gets no certificate`, async () => {
    const { world, controller } = await scene.get();
    const all = await labelled(PAIRS);
    // Had it been due, it would be the same certificate as before.
    await Promise.all(all.map((each) => ask(each, 'quick', nameFor(each))));
    await Promise.all(all.map((each) => untilReady(world, each, NAME)));
    await Promise.all(
      all.map(async (each) => {
        await anew(world, each, {});
        await ask(each, 'quick', nameFor(each));
      }),
    );
    for (const each of all) await untilReady(world, each, NAME, { status: 'False', reason: 'DeniedByPolicy' });
    const issued = await Promise.all(all.map((each) => readSecret(world, each, `${NAME}-tls`)));
    assert.is(issued.filter(Boolean).length, 0, 'Secrets');
    assert.equal(
      all.filter((each) => signatures(controller, each, NAME) !== 1),
      [],
      'one signature each, from before',
    );
  });

  test(`the control: where ${sentence}, a namespace that is created anew with the label gets its certificate`, async () => {
    const { world } = await scene.get();
    const all = await labelled(5);
    await Promise.all(all.map((each) => ask(each, 'quick', nameFor(each))));
    await Promise.all(all.map((each) => untilReady(world, each, NAME)));
    await Promise.all(
      all.map(async (each) => {
        await anew(world, each, TEAM);
        await ask(each, 'quick', nameFor(each));
      }),
    );
    for (const each of all) await untilReady(world, each, NAME);
  });

  test(`where ${sentence}, a request that is pending is withdrawn with its namespace, and none is made anew`, async () => {
    const { world, controller } = await scene.get();
    const all = await labelled(PENDING);
    await Promise.all(all.map((each) => ask(each, 'slow', nameFor(each))));
    await Promise.all(all.map((each) => awaitedRequest(world, CSRS, each, NAME)));
    // It sees the end of the former and the beginning of the new one together.
    controller.signal('SIGSTOP');
    try {
      for (const each of all) {
        await anew(world, each, {});
        await ask(each, 'slow', nameFor(each));
      }
    } finally {
      controller.signal('SIGCONT');
    }
    for (const each of all) {
      await untilReady(world, each, NAME, { status: 'False', reason: 'DeniedByPolicy' });
      await eventually(
        `the request of ${each} before is withdrawn`,
        async () => (await requestsFor(world, CSRS, each)).length === 0,
      );
    }
    await sleep(QUIET_MS);
    for (const each of all) {
      assert.equal(await requestsFor(world, CSRS, each), []);
      assert.is(conditionOf(await statusOf(world, each, NAME), 'Issuing'), undefined);
      assert.equal((await world.client.list(SECRETS, { namespace: each })).items, []);
    }
  });
}

test.run();
