import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendDefinition } from '../../../src/backends/backend.ts';
import { BACKENDS } from '../../../src/backends/index.ts';
import { faultsOfHistory, issuances } from '../support/secret-witness.ts';
import { acmeSubject } from './acme-subject.ts';
import { awsPrivateCaSubject } from './aws-private-ca-subject.ts';
import { certManagerSubject } from './cert-manager-subject.ts';
import { cloudflareSubject } from './cloudflare-subject.ts';
import { externalSubject } from './external-subject.ts';
import { googleCasSubject } from './google-cas-subject.ts';
import { kubernetesCsrSubject } from './kubernetes-csr-subject.ts';
import { type Absence, CERTIFICATES, outage } from './outage.ts';
import { pkcs11Subject } from './pkcs11-subject.ts';
import { stepCaSubject } from './step-ca-subject.ts';
import { vaultSubject } from './vault-subject.ts';

// The part of the conformance suite that takes a minute: it is the same minute for all.

const SUBJECTS = [
  vaultSubject,
  stepCaSubject,
  awsPrivateCaSubject,
  googleCasSubject,
  certManagerSubject,
  kubernetesCsrSubject,
  cloudflareSubject,
  acmeSubject,
  externalSubject,
  pkcs11Subject,
];
const BACK_WITHIN_MS = 60_000;
/** After 1, 2, 4, 8, 16 and 30 seconds, a fifth sooner or later, and with two connections at once where that is quicker. */
const MOST_CONNECTIONS = 16;

/** On a line of its own, beside the dots of the test runner. */
const report = (text: string) => console.log(`\n# ${text}`);

const minute = outage(SUBJECTS);
test.after(minute.stop);

const absenceOf = async (type: string): Promise<Absence> => {
  const found = (await minute.get()).absences.find(({ subject }) => subject.type === type);
  if (found === undefined) throw new Error(`${type} was never away`);
  return found;
};

test('every kind of authority that can be away was away', () => {
  const remote = (BACKENDS as readonly BackendDefinition<never>[]).filter(({ capabilities }) => capabilities.remote);
  assert.equal(SUBJECTS.map(({ type }) => type).sort(), remote.map(({ type }) => type).sort());
});

for (const { type } of SUBJECTS) {
  test(`${type}: in a minute without what signs, no certificate gets worse`, async () => {
    const { whileAway, names } = await absenceOf(type);
    assert.equal(whileAway.notReady, []);
    assert.is(whileAway.issued, names.length);
    assert.is(whileAway.waiting, names.length);
  });

  test(`${type}: once it is back, all are made up for within ${BACK_WITHIN_MS / 1000} s, by one certificate each`, async () => {
    const { names, secrets, caughtUpMs, booked, authority } = await absenceOf(type);
    assert.ok(caughtUpMs !== undefined && caughtUpMs <= BACK_WITHIN_MS, `after ${caughtUpMs} ms`);
    for (const name of names) {
      const versions = secrets.versions(`${name}-tls`);
      assert.equal(faultsOfHistory(versions), [], name);
      assert.is(issuances(versions).length, 2, name);
    }
    assert.is(booked, CERTIFICATES);
    assert.is(authority.afterwards, 'Verified');
    report(
      `${type}: ${CERTIFICATES} certificates caught up ${((caughtUpMs ?? 0) / 1000).toFixed(1)} s after it was back`,
    );
  });
}

for (const { type } of [vaultSubject, stepCaSubject, awsPrivateCaSubject, googleCasSubject]) {
  test(`${type}: while it is away it says so, and is probed by one, not by each that waits`, async () => {
    const { authority, knocks } = await absenceOf(type);
    assert.is(authority.whileAway, 'AuthorityUnreachable');
    // Those that were due found out together; from then on they wait for the probes.
    const [first = 0] = knocks;
    const atFirst = knocks.filter((atMs) => atMs <= first + 2_000).length;
    const later = knocks.length - atFirst;
    assert.ok(atFirst <= CERTIFICATES + 5, `${atFirst} at first`);
    assert.ok(later >= 2 && later <= MOST_CONNECTIONS, `${later} later`);
    report(`${type}: ${atFirst} connections in the first 2 s, ${later} in the rest of the minute`);
  });
}

for (const { type } of [certManagerSubject, kubernetesCsrSubject, externalSubject]) {
  test(`${type}: it is Ready while no signer runs, since it can take requests, and each of them says what it waits for`, async () => {
    const { authority, whileAway, names } = await absenceOf(type);
    assert.is(authority.whileAway, 'Verified');
    assert.is(whileAway.pending, names.length);
  });
}

test('nothing runs hot while they are away, and what is there is not held up', async () => {
  const { controller, absences } = await minute.get();
  const certificates = absences.length * CERTIFICATES;
  const { cpuSeconds, requests, writes, errors, ownReadyMs } = controller;
  report(
    `a minute with ${certificates} that wait: ${cpuSeconds.toFixed(1)} s of CPU, ${requests} requests, ${writes} of them writes`,
  );
  assert.ok(cpuSeconds < 15, `${cpuSeconds} s of CPU`);
  assert.ok(requests < 20 * certificates, `${requests} requests`);
  assert.ok(writes < 5 * certificates, `${writes} writes`);
  assert.equal(errors, []);
  assert.ok(ownReadyMs < 30_000, `${ownReadyMs} ms`);
});

test.run();
