import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ControllerProcess } from '../support/controller-process.ts';
import { untilRevision } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { issuedAt } from '../support/moments.ts';
import { clientCertificate, create, createAuthority, selfManaged, statusOf, untilReady } from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { opensslAccepts, textOf } from '../support/secret-proof.ts';
import {
  faultsOfHistory,
  issuances,
  leafOf,
  revisionOf,
  type StoredCertificate,
  serialOf,
  untilSeen,
  watchCertificates,
  watchSecrets,
} from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import { oneWorld, type World } from '../support/world.ts';

/** The shortest duration, renewed about every 7 seconds. */
const OFTEN = { duration: '1m', renewBefore: '53s' };
/** How late a renewal may be issued. */
const LATE_MS = 2_000;

interface Scene {
  readonly world: World;
  readonly controller: ControllerProcess;
  readonly namespace: string;
  readonly secrets: Witness;
  readonly certificates: Witness<StoredCertificate>;
  /** Served by another controller, with --routine-events. */
  readonly chatty: string;
}

const shared = oneWorld();
/** All renewals run at the same time; the tests then read what was recorded. */
const scene = lazily<Scene>(async () => {
  const world = await shared.get();
  const [namespace, chatty] = [await world.namespace(), await world.namespace()];
  const [controller] = await Promise.all([
    world.controller(['--namespaces', namespace]),
    world.controller(['--namespaces', chatty, '--routine-events']),
  ]);
  const secrets = await watchSecrets(world, namespace);
  const certificates = await watchCertificates(world, namespace);
  await Promise.all([namespace, chatty].map((each) => createAuthority(world, selfManaged(each))));
  await Promise.all([
    create(world, clientCertificate(namespace, 'half-life', { duration: '1m' })),
    create(world, clientCertificate(namespace, 'often', OFTEN)),
    create(world, clientCertificate(chatty, 'often', OFTEN)),
  ]);
  return { world, controller, namespace, secrets, certificates, chatty };
});
test.after(shared.stop);

/** Each renewal of a certificate, with the time that status had announced for it. */
function renewals({ secrets, certificates }: Scene, name: string) {
  const held = issuances(secrets.versions(`${name}-tls`));
  return held.slice(1).map(({ object }, index) => {
    const before = serialOf(held[index]?.object);
    const announced = certificates.versions(name).findLast((each) => each.object.status?.serialNumber === before);
    return {
      dueAt: new Date(announced?.object.status?.renewalTime ?? Number.NaN),
      issuedAt: issuedAt(object),
    };
  });
}

/** Waits until status has shown that revision. */
function untilTold({ certificates }: Scene, name: string, revision: number): Promise<true> {
  const isTold = () => certificates.versions(name).some(({ object }) => (object.status?.revision ?? 0) >= revision);
  return eventually(`status has told of revision ${revision} of ${name}`, () => isTold() || undefined);
}

test('after many renewals the Secret lists its issuer and all certificates that are still valid, newest first', async () => {
  const { secrets } = await scene.get();
  for (let revision = 1; revision <= 11; revision++) await untilSeen(secrets, 'often-tls', revision);
  const versions = secrets.versions('often-tls');
  assert.equal(faultsOfHistory(versions), []);
  const issued = issuances(versions);
  assert.ok(issued.length >= 11);
  const latest = issued.at(-1)?.object ?? {};
  const held = issued.map(({ object }) => ({ serial: serialOf(object), end: leafOf(object).validToDate })).reverse();
  const [issuer, ...parts] = latest.metadata?.annotations?.['certwheel.io/serials']?.split(',') ?? [];
  const remembered = parts.filter((each) => /^[0-9a-f]+=/.test(each));
  const { fingerprint256 } = new X509Certificate(textOf(latest, 'ca.crt'));
  assert.is(issuer, `@${fingerprint256.replaceAll(':', '').toLowerCase()}`);
  // It is written a moment after the issue.
  const [from, to] = [issuedAt(latest).getTime(), issuedAt(latest).getTime() + 1_000];
  const validUntil = (ms: number) => held.filter(({ end }) => end.getTime() >= ms);
  assert.equal(
    remembered,
    held.slice(0, remembered.length).map(({ serial, end }) => `${serial}=${end.toISOString().replace('.000Z', 'Z')}`),
  );
  const count = `${remembered.length} of ${held.length}`;
  assert.ok(remembered.length <= validUntil(from).length && remembered.length >= validUntil(to).length, count);
  assert.ok(remembered.length < held.length, count);
});

test('a certificate is renewed again and again, at the time that status announced and never before', async () => {
  const seen = await scene.get();
  await untilSeen(seen.secrets, 'often-tls', 4);
  // The status of the fourth may be missing still; each renewal is compared with the status of the one before.
  await untilTold(seen, 'often', 3);
  const found = renewals(seen, 'often');
  assert.ok(found.length >= 3);
  for (const { dueAt, issuedAt } of found) {
    const what = `due ${dueAt.toISOString()}, issued ${issuedAt.toISOString()}`;
    assert.ok(issuedAt >= dueAt, what);
    assert.ok(issuedAt.getTime() <= dueAt.getTime() + LATE_MS, what);
  }
});

test('at every version of the Secret its key, certificate and CA belong together, and none is older than the one before', async () => {
  const { secrets } = await scene.get();
  await untilSeen(secrets, 'often-tls', 4);
  const versions = secrets.versions('often-tls');
  assert.equal(faultsOfHistory(versions), []);
  assert.equal(
    issuances(versions).map(({ object }) => revisionOf(object)),
    issuances(versions).map((_each, index) => index + 1),
  );
  // A routine renewal is one write.
  assert.is(versions.length, issuances(versions).length);
  await opensslAccepts(versions.at(-1)?.object ?? {});
});

test('each renewal makes a new private key and a new serial number', async () => {
  const { secrets } = await scene.get();
  await untilSeen(secrets, 'often-tls', 4);
  const held = issuances(secrets.versions('often-tls')).map(({ object }) => object);
  assert.is(new Set(held.map((object) => textOf(object, 'tls.key'))).size, held.length);
  assert.is(new Set(held.map(serialOf)).size, held.length);
  assert.is(new Set(held.map((object) => textOf(object, 'ca.crt'))).size, 1);
});

test('status follows every renewal, stays Ready, and is written once for each', async () => {
  const seen = await scene.get();
  const { secrets, certificates } = seen;
  await untilSeen(secrets, 'often-tls', 4);
  await untilTold(seen, 'often', 4);
  const statuses = certificates.versions('often').flatMap(({ object }) => object.status ?? []);
  const issued = statuses.filter(({ revision }) => revision !== undefined);
  assert.equal(
    issued.map(({ serialNumber, revision }) => `${revision} ${serialNumber}`),
    // The Secret is written first, so the status of the last one may be missing still.
    issuances(secrets.versions('often-tls'))
      .slice(0, issued.length)
      .map(({ object }) => `${revisionOf(object)} ${serialOf(object)}`),
  );
  for (const status of issued) {
    assert.is(status.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
    assert.equal(
      status.conditions?.map(({ type }) => type),
      ['Ready'],
    );
    assert.is(new Set(issued.map(({ notAfter }) => notAfter)).size, issued.length);
  }
});

test('first issues and routine renewals have no events, unless the controller was started with --routine-events', async () => {
  const { world, namespace, chatty, controller } = await scene.get();
  await untilRevision(world, namespace, 'often-tls', 3);
  await untilRevision(world, chatty, 'often-tls', 3);
  const later = async () => (await eventsOf(world, chatty, 'often')).filter(({ reason }) => reason === 'Renewed');
  await eventually('two renewals are told of', async () => (await later()).length >= 2);
  // An unwanted event of the others would be written by now.
  await sleep(QUIET_MS);
  const reasons = async (where: string) => (await eventsOf(world, where, 'often')).map(({ reason }) => reason);
  // LifeTooShort is written once, and not at each renewal.
  assert.equal(await reasons(namespace), ['LifeTooShort']);
  const told = await eventsOf(world, chatty, 'often');
  const [first, ...others] = told.filter(({ reason }) => reason !== 'LifeTooShort');
  assert.is(told.length, others.length + 2);
  assert.is(first?.reason, 'Issued');
  assert.ok(others.length >= 2);
  for (const { reason, note } of others) {
    assert.is(reason, 'Renewed');
    assert.match(note, /^Due: due since .*; serial [0-9a-f]+, valid until /);
  }
  // The log has every signature nevertheless.
  assert.ok(signatures(controller, namespace, 'often') >= 3);
});

test('a certificate of one minute is renewed at about half of its life', async () => {
  const seen = await scene.get();
  const { world, namespace, secrets } = seen;
  const first = await untilReady(world, namespace, 'half-life');
  const lifeMs = Date.parse(first.notAfter ?? '') - Date.parse(first.renewalTime ?? '');
  // Jitter renews up to a fifth earlier than half of the life.
  assert.ok(lifeMs >= 29_000 && lifeMs <= 37_000, `renewed ${lifeMs} ms before its end`);
  await untilSeen(secrets, 'half-life-tls', 2);
  const [renewal] = renewals(seen, 'half-life');
  const lateMs = (renewal?.issuedAt.getTime() ?? Number.NaN) - (renewal?.dueAt.getTime() ?? Number.NaN);
  assert.ok(lateMs >= 0 && lateMs <= LATE_MS, `${lateMs} ms late`);
  assert.equal(faultsOfHistory(secrets.versions('half-life-tls')), []);
  await untilTold(seen, 'half-life', 2);
  assert.is((await statusOf(world, namespace, 'half-life')).authorityGeneration, 1);
});

test.run();
