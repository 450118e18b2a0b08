import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { arbitrarySpec } from '../../../test/unit/arbitrary-spec.ts';
import { aCertificate, after, anObserved, DAY, HOUR, MINUTE, NOW, RUN } from '../../../test/unit/builders.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { requestDeps } from '../../../test/unit/next-store.ts';
import { anOwnAuthority, type OwnAuthority } from '../../../test/unit/own-authority.ts';
import { SecretStore } from '../../../test/unit/secret-store.ts';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { issue, repair } from '../act.ts';
import type { Decision, Observed } from '../observed.ts';
import { RecentActs } from '../recent.ts';
import { UnpublishedCertificates } from '../request/unpublished.ts';
import { decide } from './decide.ts';

const years = after(4000 * DAY);
const oldCa = await root({ commonName: 'Test CA v1', notBefore: after(-DAY), notAfter: years });
const newCa = await root({ commonName: 'Test CA v2', notBefore: after(-DAY), notAfter: years });

interface Bench {
  readonly clock: FakeClock;
  readonly store: SecretStore;
  seen(resource: ClientCertificate, authority: OwnAuthority): Observed;
  decide(resource: ClientCertificate, authority: OwnAuthority): Decision;
  /** Decides, and does what was decided; with real keys, signatures and Secrets. */
  act(resource: ClientCertificate, authority: OwnAuthority): Promise<Decision>;
}

function bench(): Bench {
  const clock = new FakeClock(NOW);
  const store = new SecretStore();
  const deps = {
    ...requestDeps(clock),
    secrets: store,
    unpublished: new UnpublishedCertificates(),
    recent: new RecentActs(),
    requestedBy: () => 'unverified',
    assertServed: async () => undefined,
  };
  const one: Bench = {
    clock,
    store,
    seen: (resource, { view }) => anObserved(resource).build().with({ authority: view, secret: store.view() }),
    decide: (resource, authority) => decide(one.seen(resource, authority), clock.now()),
    act: async (resource, authority) => {
      const seen = one.seen(resource, authority);
      const decision = decide(seen, clock.now());
      if (decision.do === 'issue')
        await issue(seen, authority.view, (request) => authority.backend.issue(request, RUN.signal), deps, RUN);
      else if (decision.do === 'repair') await repair(seen, authority.view, deps);
      return decision;
    },
  };
  return one;
}

function isSettled(decision: Decision, now: Date): void {
  assert.is(decision.do, 'settle', JSON.stringify(decision));
  const recheckAt = 'recheckAt' in decision ? decision.recheckAt : undefined;
  assert.ok(recheckAt !== undefined && recheckAt > now, 'looked at again in the future');
}

test('after the first issue nothing is left to do, whatever is asked for', async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySpec, async (spec) => {
      const { act, decide: again, clock } = bench();
      const authority = anOwnAuthority([oldCa], clock);
      const resource = aCertificate(spec).build();
      const decision = await act(resource, authority);
      assert.is('reason' in decision && decision.reason, 'FirstIssue', JSON.stringify(decision));
      isSettled(again(resource, authority), clock.now());
    }),
    { numRuns: 150 },
  );
});

test('after a change of the spec one act is enough', async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySpec, arbitrarySpec, async (before, after) => {
      const { act, decide: again, clock } = bench();
      const authority = anOwnAuthority([oldCa], clock);
      await act(aCertificate(before).build(), authority);
      const resource = aCertificate(after).with({ generation: 2 }).build();
      await act(resource, authority);
      isSettled(again(resource, authority), clock.now());
    }),
    { numRuns: 150 },
  );
});

test('a certificate is renewed when it is due, once', async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySpec, async (spec) => {
      const { act, decide: again, clock } = bench();
      const authority = anOwnAuthority([oldCa], clock);
      const resource = aCertificate(spec).build();
      await act(resource, authority);
      const settled = again(resource, authority);
      const due = ('recheckAt' in settled ? settled.recheckAt : undefined) ?? NOW;
      clock.jump(due.getTime() - NOW.getTime() - 1);
      isSettled(again(resource, authority), clock.now());
      clock.jump(1);
      const decision = await act(resource, authority);
      assert.is('reason' in decision && decision.reason, 'Due');
      isSettled(again(resource, authority), clock.now());
    }),
    { numRuns: 100 },
  );
});

test('a CA rotation is one new bundle, then one new certificate, then one bundle without the old CA', async () => {
  const { act, decide: again, clock, store } = bench();
  const resource = aCertificate({ duration: '100h' }).build();
  const only = anOwnAuthority([oldCa], clock);
  await act(resource, only);
  const serial = () => store.view()?.certificate?.serialNumber;
  const first = serial();

  // Prepared: both are trusted, the old one signs.
  const both = anOwnAuthority([newCa, oldCa], clock);
  const prepared = { ...only, view: { ...only.view, trust: both.view.trust } };
  assert.is((await act(resource, prepared)).do, 'repair');
  assert.is(serial(), first);
  isSettled(again(resource, prepared), clock.now());

  const waiting = anOwnAuthority([oldCa, newCa], clock, clock.now());
  isSettled(again(resource, waiting), clock.now());
  clock.jump(HOUR);
  isSettled(again(resource, waiting), clock.now());
  const active = { ...waiting, view: { ...waiting.view, released: new Set(['team/client']) } };
  const decision = await act(resource, active);
  assert.is('reason' in decision && decision.reason, 'CARotated');
  assert.is.not(serial(), first);
  isSettled(again(resource, active), clock.now());

  const dropped = { ...active, view: { ...active.view, trust: anOwnAuthority([newCa], clock).view.trust } };
  assert.is((await act(resource, dropped)).do, 'repair');
  isSettled(again(resource, dropped), clock.now());
});

test('an authority that was exchanged brings one new certificate', async () => {
  const { act, decide: again, clock } = bench();
  await act(aCertificate().build(), anOwnAuthority([oldCa], clock));
  const resource = aCertificate({ authorityRef: { name: 'other' } }).build();
  const other = anOwnAuthority([newCa], clock);
  const decision = await act(resource, other);
  assert.is('reason' in decision && decision.reason, 'AuthorityChanged');
  isSettled(again(resource, other), clock.now());
});

test('a wish for a renewal is fulfilled once', async () => {
  const { act, decide: again, clock } = bench();
  const authority = anOwnAuthority([oldCa], clock);
  await act(aCertificate().build(), authority);
  const resource = aCertificate().renewAt(after(MINUTE)).build();
  const waits = again(resource, authority);
  assert.equal('recheckAt' in waits && waits.recheckAt, after(MINUTE));
  clock.jump(MINUTE);
  const decision = await act(resource, authority);
  assert.is('reason' in decision && decision.reason, 'RenewAt');
  isSettled(again(resource, authority), clock.now());
});

test('a Secret that is handed over is adopted with one write, and keeps its certificate', async () => {
  const { act, decide: again, clock, store } = bench();
  const authority = anOwnAuthority([oldCa], clock);
  const resource = aCertificate().build();
  await act(resource, authority);
  const before = store.view()?.certificate;
  const { metadata, ...rest } = store.object ?? {};
  const bare = { ...metadata, labels: {}, annotations: { 'certwheel.io/adopt': 'client' }, ownerReferences: [] };
  store.object = { ...rest, metadata: bare };
  assert.is((await act(resource, authority)).do, 'repair');
  isSettled(again(resource, authority), clock.now());
  assert.equal(store.view()?.certificate, before);
});

for (const encoding of ['PKCS1', 'PKCS8']) {
  test(`an RSA key that is to be written in ${encoding} is, with one write`, async () => {
    const { act, decide: again, clock } = bench();
    const authority = anOwnAuthority([oldCa], clock);
    const asking = (privateKey: object) => aCertificate({ privateKey: { algorithm: 'RSA', ...privateKey } }).build();
    await act(asking({ encoding: encoding === 'PKCS1' ? 'PKCS8' : 'PKCS1' }), authority);
    const resource = asking({ encoding });
    assert.is((await act(resource, authority)).do, 'repair');
    isSettled(again(resource, authority), clock.now());
  });
}

test('a clock that is set back issues nothing', async () => {
  const { act, decide: again, clock } = bench();
  const authority = anOwnAuthority([oldCa], clock);
  const resource = aCertificate().build();
  await act(resource, authority);
  for (const hours of [1, 24, 1000]) {
    clock.jump(-hours * HOUR);
    isSettled(again(resource, authority), clock.now());
  }
});

test.run();
