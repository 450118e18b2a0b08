import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, signIntermediate } from '../../../test/pki/make.ts';
import { aCertificate, after, anAuthority, anObserved, DAY, HOUR, NOW, RUN } from '../../../test/unit/builders.ts';
import { CertificateWorld } from '../../../test/unit/certificate-world.ts';
import { ca } from '../../../test/unit/journaled-authority.ts';
import type { Issued } from '../../backends/backend.ts';
import { bundleOf } from '../../pki/bundle.ts';
import { issue } from '../act.ts';
import { composeIssued } from './compose.ts';
import { readLedger } from './ledger.ts';

const SERIALS = 'certwheel.io/serials';
const issuerFingerprint = ca.certificate.fingerprintSHA256;

/** A world with a Secret that holds a good certificate of a day. */
async function issued(): Promise<CertificateWorld> {
  const world = new CertificateWorld(aCertificate().raw);
  await world.settle();
  return world;
}

function heldBy(world: CertificateWorld) {
  const { certificate, memory } = world.store.view() ?? {};
  const { serialNumber = '', notAfter = new Date(Number.NaN) } = certificate ?? {};
  return { serialNumber, notAfter, issuerFingerprint, issuedAt: memory?.issuedAt };
}

function ledgerOf(world: CertificateWorld) {
  return readLedger(world.store.view()?.memory.ledger ?? '').entries;
}

function annotate(world: CertificateWorld, value: string): void {
  const { metadata } = world.store.object ?? {};
  const annotations = { ...metadata?.annotations, [SERIALS]: value };
  world.store.object = { ...world.store.object, metadata: { ...metadata, annotations } };
}

test('a renewal notes its certificate with its issuer, beside those that are still valid, in the same write', async () => {
  const world = await issued();
  const first = heldBy(world);
  await world.clock.advance(12 * HOUR);
  const before = world.store.writes;
  await world.issue();
  const second = heldBy(world);
  assert.is(world.store.writes, before + 1);
  assert.equal(ledgerOf(world), [second, first]);
  await world.clock.advance(12 * HOUR + 1_000);
  await world.issue();
  assert.equal(ledgerOf(world), [heldBy(world), second], 'the first has expired');
});

test('a certificate is noted under what its authority calls it', async () => {
  const world = await issued();
  const first = heldBy(world);
  const ask: Parameters<typeof issue>[2] = async (request) => ({
    ...((await world.ca.backend.issue(request, RUN.signal)) as Issued),
    externalId: 'order/7',
  });
  await issue(world.seen(), world.ca.view, ask, world.deps, RUN);
  const second = { ...heldBy(world), externalId: 'order/7' };
  assert.equal(ledgerOf(world), [second, first]);
  await world.repair();
  assert.equal(ledgerOf(world), [second, first]);
});

test('the issuer is the CA certificate that signed, whether it is the root or comes with the answer', async () => {
  const intermediate = await signIntermediate(ca);
  const view = anAuthority({ trust: bundleOf([ca.certificate]) });
  for (const issuer of [ca, intermediate]) {
    const { certificate, key } = await leaf(issuer, { notAfter: after(DAY) });
    const made = { issued: { chain: [certificate, intermediate.certificate] }, key, issuedAt: NOW };
    const { memory } = composeIssued(anObserved().build(), view, made, NOW);
    const [entry] = readLedger(memory.ledger).entries;
    assert.is(entry?.issuerFingerprint, issuer.certificate.fingerprintSHA256);
  }
});

test('the certificate that is replaced is noted where the annotation was lost', async () => {
  for (const text of ['', 'nonsense']) {
    const world = await issued();
    const first = { ...heldBy(world), issuedAt: world.store.view()?.certificate?.notBefore };
    annotate(world, text);
    await world.issue();
    assert.equal(ledgerOf(world), [heldBy(world), first], 'of the begin of its life, since that is all that is known');
  }
});

test('a repair notes the certificate that the Secret holds, and drops what has expired', async () => {
  const world = await issued();
  annotate(world, '0b=2026-06-01T13:00:00Z,0a=2026-06-03T12:00:00Z=order/7');
  await world.clock.advance(DAY / 4);
  await world.repair();
  assert.equal(
    ledgerOf(world).map(({ serialNumber }) => serialNumber),
    [heldBy(world).serialNumber, '0a'],
  );
});

test.run();
