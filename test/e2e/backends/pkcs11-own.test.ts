import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, EVENTS, SECRETS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { numbered } from '../process/support/fleet.ts';
import { patchAuthority, renewAt } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { faultsOfHistory, issuances, untilSeen, watchSecrets } from '../support/secret-witness.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { pkcs11Spec, putCertificate, putPin } from './pkcs11-subject.ts';
import { createAuthority as createWith, place, untilAuthority, untilClusterAuthority } from './place.ts';
import { startSoftHsm } from './servers/pkcs11.ts';
import type { Place, Spec } from './subject.ts';

// What is different where a process of its own has the vendor's library, and a PIN opens the key.

const PIN = 'pin-of-the-token-4711';
const CLIENTS = 20;

const worlds = oneWorld();
const shared = lazily(async () => {
  const hsm = await startSoftHsm('*/own,*/crashing,*/hanging');
  const world = await worlds.get();
  const pins = mkdtempSync(join(tmpdir(), 'certwheel-pins-'));
  onStop(() => rmSync(pins, { recursive: true, force: true }));
  return { hsm, world, pins, controller: await world.controller([...hsm.flags, '--pkcs11-pin-folder', pins]) };
});
test.after(worlds.stop);

/** A namespace with an authority `ca` whose key is in a new token. */
async function ownAuthority(token: string): Promise<Place & Awaited<ReturnType<typeof shared.get>>> {
  const here = await shared.get();
  const { hsm, world } = here;
  await hsm.addToken(token, PIN);
  await hsm.addKey({ token, pin: PIN }, { label: 'ca', id: '01' });
  const where = await place(world);
  const uri = `pkcs11:token=${token};object=ca`;
  await putPin(where, PIN);
  await putCertificate(where, await hsm.selfSign(uri, PIN, `/CN=${token}`));
  await createWith(where, 'pkcs11', pkcs11Spec(uri));
  await untilAuthority(where);
  return { ...here, ...where };
}

/** The processes that the controller has started, by their arguments. */
function signers(controller: number): { readonly pid: number; readonly args: string; readonly env: string }[] {
  const children = readFileSync(`/proc/${controller}/task/${controller}/children`, 'utf8').trim();
  const read = (pid: string, file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  return children.split(' ').flatMap((pid) => {
    try {
      return pid === '' ? [] : [{ pid: Number(pid), args: read(pid, 'cmdline'), env: read(pid, 'environ') }];
    } catch {
      // It has ended this moment.
      return [];
    }
  });
}

const pidsOf = (controller: number) => signers(controller).map(({ pid }) => pid);
/** The process that was started last: that of the authority which the test has just created. */
const newestSigner = (controller: number) => Math.max(...pidsOf(controller));

test('a library that crashes under load costs no certificate, and the controller lives', async () => {
  const { world, namespace, controller } = await ownAuthority('crashing');
  const signer = newestSigner(controller.pid);
  const names = numbered(CLIENTS, 'client');
  const secrets = await watchSecrets(world, namespace);
  for (const name of names) await create(world, clientCertificate(namespace, name));
  for (const name of names) await untilReady(world, namespace, name);
  await Promise.all(names.map((name) => renewAt(world, namespace, name)));
  process.kill(signer, 'SIGSEGV');
  for (const name of names) await untilSeen(secrets, `${name}-tls`, 2);
  for (const name of names) {
    const versions = secrets.versions(`${name}-tls`);
    assert.equal(faultsOfHistory(versions), [], name);
    assert.is(issuances(versions).length, 2, name);
  }
  assert.is(await Promise.race([controller.exited, 'alive']), 'alive');
  assert.not.equal(newestSigner(controller.pid), signer);
});

test('a library that hangs is ended after its time, holds up nothing else, and is started anew', async () => {
  const { world, namespace, controller } = await ownAuthority('hanging');
  const signer = newestSigner(controller.pid);
  process.kill(signer, 'SIGSTOP');
  await create(world, clientCertificate(namespace, 'slow'));
  await createAuthority(world, selfManaged(namespace, 'quick'));
  await create(world, clientCertificate(namespace, 'quick', { authorityRef: { name: 'quick' } }));
  await untilReady(world, namespace, 'quick');
  await untilReady(world, namespace, 'slow');
  await eventually('the stopped process is gone', () => signers(controller.pid).every(({ pid }) => pid !== signer));
});

test('the PIN is in no argument, environment, log, status, event or Secret of a generation', async () => {
  const { world, namespace, controller } = await ownAuthority('own');
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  await putPin({ world, namespace }, `${PIN}-wrong`);
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'CredentialsRefused' });
  await putPin({ world, namespace }, PIN);
  await untilAuthority({ world, namespace });

  const processes = signers(controller.pid);
  assert.ok(processes.length > 0);
  const events = await world.client.list(EVENTS, { namespace });
  const secrets = await world.client.list(SECRETS, { namespace });
  const others = secrets.items.filter(({ metadata }) => metadata?.name !== 'hsm-pin');
  const everything = JSON.stringify([
    processes,
    controller.logs,
    controller.errors,
    events.items,
    others,
    await authorityStatusOf(world, namespace, 'ca'),
  ]);
  assert.not.match(everything, PIN);
  assert.not.match(everything, Buffer.from(PIN).toString('base64').slice(0, 20));
  const generations = others.filter(({ metadata }) => /^ca-ca-v\d+$/.test(metadata?.name ?? ''));
  assert.is(generations.length, 1);
  assert.is(generations[0]?.data?.['tls.key'], '');
});

test('an authority that is removed or changed ends its process', async () => {
  const { hsm, world, controller } = await shared.get();
  const where = await place(world);
  await hsm.addKey({ token: 'own', pin: PIN }, { label: 'next', id: '02' });
  const uri = 'pkcs11:token=own;object=next';
  await putPin(where, PIN);
  await putCertificate(where, await hsm.selfSign(uri, PIN, '/CN=next'));
  const others = pidsOf(controller.pid);
  const another = (...than: readonly number[]) =>
    eventually('another process', () => pidsOf(controller.pid).find((pid) => ![...others, ...than].includes(pid)));
  await createWith(where, 'pkcs11', pkcs11Spec(uri));
  await untilAuthority(where);
  const first = await another();
  await patchAuthority(world, where.namespace, 'ca', { spec: { pkcs11: { uri: `${uri};type=private` } } });
  const isGone = (pid: number) =>
    eventually(`${pid} is gone`, () => signers(controller.pid).every((each) => each.pid !== pid));
  await isGone(first);
  await untilAuthority(where);
  // The same CA under another spelling of its URI is no other generation.
  assert.is((await authorityStatusOf(world, where.namespace, 'ca')).generations?.length, 1);
  const second = await another(first);
  await world.cluster.kubectl(['delete', 'cauth', 'ca', '-n', where.namespace]);
  await isGone(second);
});

/** Creates a ClusterCertificateAuthority, waits until it says `says`, has it issue a certificate, and deletes it. */
async function issueByCluster(token: string, pin: Spec, options: readonly string[], says: string): Promise<void> {
  const { hsm, world } = await shared.get();
  const system = { world, namespace: 'certwheel-system' };
  await world.cluster.kubectl(['create', 'namespace', system.namespace]).catch(() => {});
  await hsm.addToken(token, PIN);
  await hsm.addKey({ token, pin: PIN }, { label: 'ca', id: '01', options });
  const uri = `pkcs11:token=${token};object=ca`;
  await putPin(system, PIN);
  await putCertificate(system, await hsm.selfSign(uri, PIN, `/CN=${token}`));
  const where = await place(world);
  const name = `hsm-${where.namespace}`;
  const { pinSecretRef: _, ...rest } = pkcs11Spec(uri);
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name },
    spec: { pkcs11: { ...rest, ...pin }, allowedNamespaces: { names: [where.namespace] } },
  });
  await untilClusterAuthority(world, name, { says });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name };
  await create(world, clientCertificate(where.namespace, 'alice', { authorityRef }));
  const status = await untilReady(world, where.namespace, 'alice');
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  await world.client.delete(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name);
}

test('a ClusterCertificateAuthority uses any token, with the PIN of the namespace of the controller', () =>
  issueByCluster(
    'platform',
    { pinSecretRef: { name: 'hsm-pin' } },
    ['--extractable'],
    '; warning: the key object ca is extractable (CKA_EXTRACTABLE), so the PIN is enough to copy it',
  ));

test('a ClusterCertificateAuthority takes its PIN from a file that is mounted as the kubelet does', async () => {
  const { pins, controller } = await shared.get();
  mkdirSync(join(pins, 'shop/..data'), { recursive: true });
  writeFileSync(join(pins, 'shop/..data/pin'), `${PIN}\n`);
  symlinkSync('..data/pin', join(pins, 'shop/pin'));
  await issueByCluster('by-file', { pinFile: 'shop/pin' }, [], '');
  assert.not.match(JSON.stringify([controller.logs, controller.errors]), PIN);
});

test.run();
