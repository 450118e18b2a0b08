/** Which lines of the audit log an issuance leaves behind, and in which order. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf } from '../../test/pki/make.ts';
import { aCertificate, HOUR } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';
import { FallbackWorld, reserveCa } from '../../test/unit/fallback-world.ts';
import { ca } from '../../test/unit/journaled-authority.ts';
import { generation } from '../../test/unit/probed.ts';
import type { AuditEvent } from '../audit/event.ts';
import { systemClock } from '../clock.ts';
import { parseCertificates } from '../pki/certificate.ts';
import { ProbeSubjects } from '../probes/subjects.ts';
import { deniedEvent } from './audited.ts';

function audited(world: CertificateWorld): AuditEvent[] {
  const events: AuditEvent[] = [];
  const write = (event: AuditEvent) => {
    world.journal.note(`line ${event.event}`);
    events.push(event);
  };
  world.deps = { ...world.deps, audit: { write } };
  return events;
}

const OWNER = { authority: 'CertificateAuthority/team/ca', namespace: 'team', name: 'client', uid: 'uid-1' };

test('an own CA has its line before the signature, and another one once the Secret is written', async () => {
  const world = new CertificateWorld();
  const events = audited(world);
  await world.settle();
  const { lines } = world.journal;
  const order = ['line signed', 'signed', 'Secret', 'line published'].map((each) => lines.indexOf(each));
  assert.equal(
    order,
    [...order].sort((one, other) => one - other),
    lines.join(', '),
  );
  assert.ok(order.every((at) => at >= 0));
  const held = world.store.view()?.certificate;
  const [signed, published] = events;
  assert.equal(
    events.map(({ event }) => event),
    ['signed', 'published'],
  );
  for (const each of [signed, published]) {
    const { authority, namespace, name, uid, serial, issuer, keyPin, notAfter, requestedBy } = each ?? {};
    assert.equal({ authority, namespace, name, uid }, OWNER);
    assert.is(serial, held?.serialNumber);
    assert.is(issuer, ca.certificate.fingerprintSHA256);
    assert.is(keyPin, held?.publicKeyPinSHA256);
    assert.equal(notAfter, held?.notAfter);
    assert.is(requestedBy, 'unverified');
  }
  assert.equal([published?.reason, published?.revision], ['FirstIssue', 1]);
});

test('the rule that permits it is in the line', async () => {
  const world = new CertificateWorld();
  world.rule = 'web';
  const events = audited(world);
  await world.issue();
  assert.is(events[0]?.rule, 'web');
});

test('what another machine signs has its line before it is proven, with the names that it has', async () => {
  const world = new CertificateWorld(undefined, { remote: true });
  const events = audited(world);
  const wrong = await leaf(ca, { subject: { commonName: 'somebody else' } });
  world.ca.answer = () => ({ chain: [wrong.certificate, ca.certificate], externalId: 'order-7' });
  await world.run();
  assert.equal(
    events.map(({ event }) => event),
    ['requested', 'signed'],
  );
  const { serial, names, externalId, issuer } = events[1] ?? {};
  assert.equal([serial, externalId], [wrong.certificate.serialNumber, 'order-7']);
  assert.is(names?.commonName, 'somebody else');
  assert.is(issuer, ca.certificate.fingerprintSHA256);
});

test('a request to another machine has its line before it is sent, with the key that finds a lost answer', async () => {
  const world = new CertificateWorld(undefined, { remote: true });
  const events = audited(world);
  world.journal.refuse('asked', new Error('the answer was lost'));
  await world.run();
  assert.equal(
    events.map(({ event }) => event),
    ['requested'],
  );
  const { lines } = world.journal;
  assert.ok(lines.indexOf('line requested') < lines.findIndex((each) => each.startsWith('asked')), lines.join(', '));
  await world.clock.advance(HOUR);
  await world.settle();
  const [lost, again, signed] = events;
  const { authority, namespace, name, uid } = lost ?? {};
  assert.equal({ authority, namespace, name, uid }, OWNER);
  assert.match(lost?.keyPin ?? '', /^[A-Za-z0-9+/]{43}=$/);
  assert.is(lost?.serial, undefined);
  assert.equal([again?.event, signed?.event], ['requested', 'signed']);
  assert.is(again?.keyPin, signed?.keyPin);
});

test('to ask for the answer to a request is no further request', async () => {
  const world = new CertificateWorld(undefined, { remote: true, persistKey: true });
  const events = audited(world);
  let asked = 0;
  world.ca.answer = () => (++asked === 1 ? { ticket: 'order-7', pollAfterMs: 1_000, message: 'later' } : undefined);
  await world.run();
  await world.clock.advance(HOUR);
  await world.settle();
  assert.is(asked, 2);
  assert.equal(
    events.map(({ event }) => event),
    ['requested', 'signed', 'published'],
  );
});

test('a Secret that can not be written leaves a line of the signature alone, and its retry signs nothing anew', async () => {
  const world = new CertificateWorld();
  const events = audited(world);
  world.journal.refuse('Secret', ...Array.from({ length: 4 }, () => refusal(503)));
  await world.run();
  assert.equal(
    events.map(({ event }) => event),
    ['signed'],
  );
  await world.settle();
  const serials = new Set(events.map(({ serial }) => serial));
  assert.is(events.at(-1)?.event, 'published');
  assert.is(serials.size, 1, [...serials].join());
});

test('what a fallback signs names the authority and the fallback', async () => {
  const world = new FallbackWorld(aCertificate({ duration: '1h' }).raw);
  const events = audited(world);
  await world.settle();
  world.awaySince.own = world.clock.now();
  world.refusals.own = new Error('away');
  await world.clock.advance(0.98 * HOUR);
  await world.settle();
  const signed = events.filter(({ event }) => event === 'signed');
  const { authority, signedBy, issuer } = signed.at(-1) ?? {};
  assert.equal(
    { authority, signedBy, issuer },
    {
      authority: 'CertificateAuthority/team/ca',
      signedBy: 'CertificateAuthority/team/reserve',
      issuer: reserveCa.certificate.fingerprintSHA256,
    },
  );
  assert.is(signed[0]?.signedBy, undefined);
});

test('a denial is a line, and a failure is none', () => {
  const { resource } = new CertificateWorld();
  const line = (reason: string) => deniedEvent(resource as never, { reason, note: 'no' }, 'jane');
  assert.equal([line('DeniedByPolicy')?.event, line('DeniedByPolicy')?.requestedBy], ['denied', 'jane']);
  assert.is(line('AuthorityUnreachable'), undefined);
});

test('a certificate that is shown to a verifier has a line with its serial number', async () => {
  const events: AuditEvent[] = [];
  const subjects = new ProbeSubjects({
    clock: systemClock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { signed: () => {} },
    audit: { write: (event) => events.push(event) },
  });
  const made = await generation('probed');
  const resource = { kind: 'CertificateAuthority', namespace: 'team', name: 'ca', uid: 'u' };
  const signing = {
    backend: {},
    aside: (work: () => Promise<unknown>) => work(),
    signal: new AbortController().signal,
  };
  const [subject] = await subjects.of('k', resource as never, 'gateway', [made], signing as never);
  const [shown] = parseCertificates(subject?.leaf?.certificate ?? '');
  assert.is(events.length, 1);
  const { event, serial, issuer, keyPin, verifier, notAfter } = events[0] ?? {};
  assert.equal([event, serial, verifier], ['probeSigned', shown?.serialNumber, 'gateway']);
  assert.equal([issuer, keyPin], [made.path.certificate.fingerprintSHA256, shown?.publicKeyPin]);
  assert.equal(notAfter, shown?.notAfter);
});

test.run();
