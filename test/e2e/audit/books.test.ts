import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AUDIT_CHECKPOINT_NAME } from '../../../src/api/books-names.ts';
import { ADOPT_ANNOTATION, CONFIG_MAPS } from '../../../src/api/names.ts';
import type { Checkpoint } from '../../../src/audit/checkpoint.ts';
import { decide } from '../support/approvals.ts';
import { createSecretAuthority, pairData, putCaSecret } from '../support/ca-secret.ts';
import { createSecret, patchSecret, renewAt } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { authorityStatusOf, clientCertificate, create, statusOf, untilReady } from '../support/objects.ts';
import { makeCa, makeLeaf, tlsData } from '../support/openssl.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { audit, checkpointIn, eventsIn, linesIn, logFolder, watchSerials } from './support.ts';

const NAMES = ['web-1', 'web-2', 'web-3'];
const rules = [
  { name: 'web', commonNames: ['web-*', 'migrated'] },
  { name: 'seen', commonNames: ['seen-*'], approval: 'Required' },
];

const shared = oneWorld();
test.after(shared.stop);

/** All that can happen, once; then the controller has ended. */
const story = lazily(async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const log = join(logFolder(world), 'audit.log');
  const [first, second] = [await makeCa('First'), await makeCa('Second')];
  await putCaSecret(world, namespace, 'pair', pairData(first));
  const trust = { targets: [{ name: 'gateways', configMap: { name: 'client-ca' } }] };
  await createSecretAuthority(world, namespace, 'ca', 'pair', { issuancePolicy: { rules }, trust });
  const serials = await watchSerials(world, namespace);
  const flags = ['--approvals', '--trust-targets', 'configMaps', '--trust-propagation', '1s', '--kubelet-sync', '1s'];
  const places = ['--namespaces', namespace, '--controller-namespace', namespace];
  const controller = await world.controller([...flags, ...places, '--audit-log', log]);

  for (const name of [...NAMES, 'seen-1', 'mallory']) await create(world, clientCertificate(namespace, name));
  for (const name of NAMES) await untilReady(world, namespace, name);
  await untilReady(world, namespace, 'mallory', { status: 'False', reason: 'DeniedByPolicy' });
  await untilReady(world, namespace, 'seen-1', { status: 'False', reason: 'ApprovalPending' });
  const approval = await decide(world, namespace, 'seen-1');
  await untilReady(world, namespace, 'seen-1');
  for (const name of [...NAMES, 'seen-1']) {
    await renewAt(world, namespace, name);
    await eventually(`${name} is renewed`, async () => (await statusOf(world, namespace, name)).revision === 2);
  }
  const byHand = { type: 'kubernetes.io/tls', data: tlsData(await makeLeaf(first, 'migrated')) };
  await createSecret(world, namespace, 'migrated-tls', byHand);
  await create(world, clientCertificate(namespace, 'migrated'));
  await untilReady(world, namespace, 'migrated', { status: 'False', reason: 'SecretNotOwned' });
  await patchSecret(world, namespace, 'migrated-tls', {
    metadata: { annotations: { [ADOPT_ANNOTATION]: 'migrated' } },
  });
  await untilReady(world, namespace, 'migrated');
  await putCaSecret(world, namespace, 'pair', pairData(second));
  await eventually('the CA is rotated', async () => {
    const { generations = [] } = await authorityStatusOf(world, namespace, 'ca');
    return generations.length === 2 && generations[1]?.state === 'Retired';
  });
  await eventually('the trust target has the second CA alone', async () => {
    const target = await world.client.get(CONFIG_MAPS, namespace, 'client-ca');
    return target?.data?.['ca.crt']?.trim() === second.certificate.trim();
  });
  const shown = await serials();
  const status = await authorityStatusOf(world, namespace, 'ca');
  const statuses = new Map<string, Awaited<ReturnType<typeof statusOf>>>();
  for (const name of [...NAMES, 'seen-1', 'migrated']) statuses.set(name, await statusOf(world, namespace, name));
  assert.is(await controller.stop(), 0);
  return { world, namespace, log, shown, status, statuses, approval };
});

test('the log has every certificate that the API server has held, once signed and once published', async () => {
  const { log, shown } = await story.get();
  // Two of the migrated one: the adopted certificate was made by hand, and is in no log.
  const [signed, published] = [eventsIn(log, 'signed'), eventsIn(log, 'published')];
  const ofShown = (event: (typeof signed)[number]) =>
    shown.find(({ serial, uid }) => serial === hexOf(event.serial) && uid === event.uid);
  assert.ok(signed.length >= 2 * NAMES.length + 3, `${signed.length} signatures`);
  assert.is(new Set(signed.map(({ serial }) => serial)).size, signed.length);
  for (const each of [...signed, ...published])
    assert.is(ofShown(each)?.notAfter, Date.parse(String(each.notAfter)), `${each.serial} of ${each.name}`);
  assert.equal(serialsOf(published), serialsOf(signed));
  const known = new Set([...serialsOf(signed)]);
  const others = shown.filter(({ serial }) => !known.has(serial));
  assert.equal(others, [], 'the API server has held certificates that the log does not know');
});

test('the last line of each certificate is what its status says', async () => {
  const { log, statuses, namespace } = await story.get();
  for (const [name, status] of statuses) {
    const last = eventsIn(log, 'published').findLast((each) => each.name === name);
    assert.is(hexOf(last?.serial), hexOf(status.serialNumber), name);
    assert.is(last?.revision, status.revision);
    assert.is(last?.keyPin, status.publicKeyPinSHA256);
    assert.is(last?.namespace, namespace);
    assert.is(last?.requestedBy, 'unverified');
  }
});

test('denials and approvals are in it once, with what was asked for, the rule and the person', async () => {
  const { log, approval } = await story.get();
  const denied = eventsIn(log, 'denied').map(({ name, reason }) => `${name} ${reason}`);
  assert.equal(denied.sort(), ['mallory DeniedByPolicy', 'seen-1 ApprovalPending']);
  assert.equal(eventsIn(log, 'denied').find(({ name }) => name === 'mallory')?.names, { commonName: 'mallory' });
  const approved = eventsIn(log, 'approved');
  assert.is(approved.length, 1);
  const { approval: by, rule, name } = approved[0] ?? {};
  assert.equal([name, rule], ['seen-1', 'seen']);
  assert.is((by as { name?: string }).name, approval.metadata?.name);
  assert.is((by as { approvedBy?: string }).approvedBy, 'alice');
  for (const each of eventsIn(log, 'signed').filter(({ name: of }) => of === 'seen-1'))
    assert.is((each.approval as { uid?: string }).uid, approval.metadata?.uid);
  assert.equal(
    eventsIn(log, 'adopted').map(({ object }) => String(object).split('/')[1]),
    ['migrated-tls'],
  );
});

test('each step of the CA rotation is in it, and which CA certificates were trusted when', async () => {
  const { log, status } = await story.get();
  const [second, first] = (status.generations ?? []).map(({ fingerprintSHA256 }) => fingerprintSHA256);
  const steps = eventsIn(log, 'caStep');
  const ofSecond = steps.filter(({ generation }) => generation === 2);
  assert.equal(
    ofSecond.map(({ reason }) => reason),
    ['CAGenerationCreated', 'CAGenerationPrepared', 'CAGenerationTrusted', 'CAGenerationActive'],
  );
  assert.ok(ofSecond.every(({ issuer }) => issuer === second));
  assert.is(steps.at(-1)?.reason, 'CAGenerationRetired');
  assert.is(steps.at(-1)?.issuer, first);
  const trusted = eventsIn(log, 'trustChanged').map(({ anchors }) => (anchors as string[]).sort().join());
  // The same CA certificates in another order are a change of the bundle, too.
  const sets = trusted.filter((each, index) => each !== trusted[index - 1]);
  assert.equal(sets, [`${first}`, [first, second].sort().join(), `${second}`], trusted.join('\n'));
  const written = eventsIn(log, 'trustTargetWritten').map(({ anchors }) => (anchors as string[]).sort());
  assert.equal(written.at(-1), [second]);
  assert.ok(written.some((each) => each.length === 2));
  // A certificate is of the generation that its line names.
  for (const { generation, issuer } of eventsIn(log, 'signed')) assert.is(issuer, generation === 1 ? first : second);
});

test('verify accepts the log with the checkpoint of the cluster, and finds a line that is missing at the end', async () => {
  const { world, log, namespace } = await story.get();
  const { code, printed } = await audit('verify', '--log', log, ...checkpointIn(world, namespace));
  assert.is(code, 0, printed);
  assert.match(printed, /^\d+ lines of 1 segment from .*: intact$/m);
  const map = await world.client.get(CONFIG_MAPS, namespace, AUDIT_CHECKPOINT_NAME);
  const [[segment, text] = ['', '{}']] = Object.entries((map?.data ?? {}) as Record<string, string>);
  const { seq, hash } = JSON.parse(text) as Checkpoint;
  const last = linesIn(log).at(-1);
  assert.equal([segment, seq, hash], [last?.segment, last?.seq, last?.hash]);
  assert.is(last?.event, 'stop');
});

test('who leads from the serial of a former certificate to its owner', async () => {
  const { log, shown } = await story.get();
  const former = shown.find(({ secret }) => secret === 'web-1-tls');
  const { code, printed } = await audit('who', (former?.serial ?? '').toUpperCase(), '--log', log);
  assert.is(code, 0, printed);
  assert.match(printed, /held by: +ClientCertificate test-\S+\/web-1, uid /);
  assert.match(printed, /rule: +web/);
  assert.match(printed, /revoked: +no, as far as these files say/);
});

test('no private key is in the log', async () => {
  const { log } = await story.get();
  assert.not.match(JSON.stringify(linesIn(log).map(({ fields }) => fields)), 'PRIVATE');
});

function hexOf(serial: unknown): string {
  return String(serial).toLowerCase();
}

function serialsOf(events: readonly { readonly serial?: unknown }[]): string[] {
  return [...new Set(events.map(({ serial }) => hexOf(serial)))].sort();
}

test.run();
