/** What keeps a CA from its next state, besides members that lack its certificate (plan-members.test.ts). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, hoursFromNow, NOW } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import {
  DEADLINE_MS,
  generation,
  gone,
  later,
  member,
  one,
  PROPAGATION_MS,
  plan,
  reissuing,
  spreading,
  step,
  two,
} from '../../test/unit/planned-rotation.ts';
import { caPath } from '../pki/ca.ts';
import type { TrustProof } from './trust-proof.ts';

const trusted = [generation(1, 'Active', one), generation(2, 'Trusted', two, NOW)];
const loaded = { clearSince: new Map([['move 2', hoursFromNow(-1)]]) };
const ended = { clearSince: new Map([['retire 1', hoursFromNow(-1)]]) };
const held = [member('ns/a', one)];

const waits = (...args: Parameters<typeof plan>) => plan(...args).hold?.reason;

test('a CA goes from one state to the next in this order', () => {
  assert.is(step([generation(1, 'Active', one)], two, held), 'create Pending');
  assert.is(step([generation(1, 'Active', one), generation(2, 'Pending', two)], two, held), '2 -> Prepared');
  assert.is(step(spreading, two, held, loaded), '2 -> Trusted');
  assert.is(step(trusted, two, held, loaded), '2 -> Active');
  assert.is(step([generation(1, 'Active', one, hoursFromNow(-9)), generation(2, 'Active', two)], two), '1 -> Retiring');
  assert.is(step(reissuing, two, [member('ns/a', two)], ended), 'retire 1');
});

test('a verifier that is not shown to trust the new CA keeps it from being trusted and from signing, and is named', () => {
  const waiting = 'the pod nginx-1 answered 400';
  const proofs: TrustProof[] = [
    { subject: 'verifier gateway', since: undefined, waiting },
    { subject: 'ConfigMap ns/trust', since: hoursFromNow(-1), waiting: undefined },
  ];
  for (const generations of [spreading, trusted]) {
    const { step: planned, hold } = plan(generations, two, held, { proofs });
    assert.is(planned.do, 'settle');
    assert.equal(
      [hold?.reason, hold?.waitingFor],
      ['TrustNotProven', ['verifier gateway (the pod nginx-1 answered 400)']],
    );
  }
  const proven = proofs.map((each) => ({ ...each, since: hoursFromNow(-1), waiting: undefined }));
  assert.is(step(spreading, two, held, { proofs: proven, ...loaded }), '2 -> Trusted');
  assert.is(waits(spreading, two, held, { proofs, ...loaded }), 'TrustNotProven', 'also where its gate was open');
  assert.is(step(spreading, two, held, { proofs, ...loaded }), 'note 2', 'and the gate closes');
});

test('after a restart, a proof that is not known yet holds the next step, and the time that has passed still counts', () => {
  const unseen: TrustProof = {
    subject: 'verifier gateway',
    since: undefined,
    waiting: 'not asked yet',
    isUnseen: true,
  };
  const refuses: TrustProof = { subject: 'verifier mesh', since: undefined, waiting: 'it answered 400' };
  const proven: TrustProof = { subject: 'verifier gateway', since: NOW, waiting: undefined };
  for (const kind of ['proofs', 'crlProofs']) {
    const { step: planned, hold } = plan(spreading, two, held, { [kind]: [unseen], ...loaded });
    assert.is(planned.do, 'settle');
    assert.equal(hold?.waitingFor, ['verifier gateway (not asked yet)']);
    assert.is(step(spreading, two, held, { [kind]: [unseen, refuses], ...loaded }), 'note 2', 'what is seen closes it');
    assert.is(step(spreading, two, held, { [kind]: [proven], ...loaded }), '2 -> Trusted');
  }
});

test('a proof that begins later is none yet', () => {
  const proofs = [{ subject: 'verifier gateway', since: hoursFromNow(1), waiting: undefined }];
  const { step: planned, hold } = plan(spreading, two, held, { proofs });
  assert.is(hold?.reason, 'TrustNotProven');
  assert.equal(planned, { do: 'settle', recheckAt: hoursFromNow(1) }, 'no event comes when it begins');
});

test('verifiers are waited for until a tenth of the life of the present CA is left, and are named then', () => {
  const proofs = [{ subject: 'verifier gateway', since: undefined, waiting: 'no answer' }];
  const short = [generation(1, 'Active', gone), generation(2, 'Prepared', two)];
  const { notBefore, notAfter } = gone.certificate;
  const last = new Date(notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 10);
  const members = [member('ns/a', gone)];
  const before = plan(short, two, members, { proofs, now: new Date(last.getTime() - 1) });
  assert.equal([before.hold?.reason, before.hold?.deadline], ['TrustNotProven', last]);
  const after = plan(short, two, members, { proofs, now: last });
  assert.equal([after.step.do, after.leftBehind], ['note', ['verifier gateway']]);
});

for (const planner of [{ source: 'selfManaged' }, { source: 'stepCA', stated: [caPath([two.anchor])] }])
  test(`the CA of another backend (${planner.source}) waits for verifiers too, for half of what the first certificate has left`, () => {
    const next = 'stated' in planner ? caPath([two.anchor]) : two;
    const { source } = planner;
    const former = [generation(1, 'Retiring', one), aGeneration(2, 'Prepared', next, { source, since: NOW })];
    const proofs = [{ subject: 'verifier gateway', since: undefined, waiting: 'no answer' }];
    const clients = [member('ns/a', one, 'bundle', hoursFromNow(24)), member('ns/b', one, 'bundle', hoursFromNow(10))];
    const wanted = 'stated' in planner ? undefined : next;
    const at = (hours: number) => plan(former, wanted, clients, { ...planner, proofs, now: hoursFromNow(hours) });
    for (const hours of [0, 4.9]) {
      const { hold, leftBehind } = at(hours);
      assert.equal([hold?.reason, hold?.deadline], ['TrustNotProven', hoursFromNow(5)]);
      assert.equal(leftBehind, []);
    }
    assert.equal([at(5).hold?.reason, at(5).leftBehind], ['Propagating', ['verifier gateway']]);
    const proven = [{ subject: 'verifier gateway', since: hoursFromNow(-1), waiting: undefined }];
    assert.is(plan(former, wanted, clients, { ...planner, proofs: proven }).hold?.reason, 'Propagating');
  });

test('a CA whose CRL is not published, or not delivered, is neither trusted nor signs, until progressDeadline', () => {
  const waiting = 'it does not hold the CRL yet';
  const crlProofs: TrustProof[] = [
    { subject: 'the CRL of CA generation 2', since: new Date(0), waiting: undefined },
    { subject: 'ConfigMap ns/trust, key ca.crl', since: undefined, waiting },
  ];
  const lasting = [member('ns/a', one, 'bundle', hoursFromNow(100))];
  const deadline = (generations: typeof spreading) => new Date((generations[1]?.since.getTime() ?? 0) + DEADLINE_MS);
  for (const generations of [spreading, trusted]) {
    const { step: planned, hold, leftBehind } = plan(generations, two, held, { crlProofs });
    assert.is(planned.do, 'settle');
    assert.equal(
      [hold?.reason, hold?.waitingFor, hold?.deadline, leftBehind],
      ['CRLNotDelivered', [`ConfigMap ns/trust, key ca.crl (${waiting})`], deadline(generations), []],
    );
    const after = plan(generations, two, lasting, { crlProofs, now: deadline(generations) });
    assert.equal([after.hold?.reason, after.leftBehind], ['Propagating', ['ConfigMap ns/trust, key ca.crl']]);
  }
  const delivered = crlProofs.map((each) => ({ ...each, since: new Date(0), waiting: undefined }));
  assert.is(step(spreading, two, held, { crlProofs: delivered, ...loaded }), '2 -> Trusted');
  assert.is(step(spreading, two, held, { crlProofs, ...loaded }), 'note 2', 'its gate closes again');
});

test('a CRL is waited for no longer than verifiers are: the present CA may end before progressDeadline', () => {
  const crlProofs = [{ subject: 'the CRL of CA generation 2', since: undefined, waiting: 'it lacks cRLSign' }];
  const short = [generation(1, 'Active', gone), generation(2, 'Prepared', two)];
  const { notBefore, notAfter } = gone.certificate;
  const last = new Date(notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 10);
  const { hold } = plan(short, two, [member('ns/a', gone)], { crlProofs, now: new Date(last.getTime() - 1) });
  assert.equal([hold?.reason, hold?.deadline], ['CRLNotDelivered', last]);
  assert.is(step(short, two, [], { crlProofs, now: later }), '2 -> Active', 'nothing signs, and nothing is held');
});

test('the removal of a CA waits for no CRL', () => {
  const crlProofs = [{ subject: 'the CRL of CA generation 1', since: undefined, waiting: 'x' }];
  assert.is(step(reissuing, two, [member('ns/a', two)], { crlProofs, ...ended }), 'retire 1');
});

test('a CA that nothing stands in for waits for no verifier', () => {
  const proofs = [{ subject: 'verifier gateway', since: undefined, waiting: 'no answer' }];
  const short = [generation(1, 'Active', gone), generation(2, 'Prepared', two)];
  assert.is(step(short, two, [], { proofs, now: later }), '2 -> Active');
});

test('a trusted CA soaks before it signs, also without certificates', () => {
  const terms = { soakMs: HOUR };
  for (const members of [held, []]) {
    const { hold } = plan(trusted, two, members, { terms, ...loaded });
    assert.equal([hold?.reason, hold?.until], ['Soaking', hoursFromNow(1)]);
    assert.is(step(trusted, two, members, { terms, ...loaded, now: hoursFromNow(1) }), '2 -> Active');
  }
});

test('a soak that would outlast the CA that signs is cut short, so that its certificates do not all end first', () => {
  const terms = { soakMs: 24 * HOUR };
  const short = [generation(1, 'Active', gone), generation(2, 'Trusted', two, NOW)];
  const { hold } = plan(short, two, [member('ns/a', gone)], { terms, ...loaded });
  assert.is(hold?.reason, 'Soaking');
  assert.match(hold?.message ?? '', 'cut short');
  assert.ok(hold?.until && hold.until > NOW && hold.until < hoursFromNow(1), 'before the end of the CA');
  assert.is(step(short, two, [member('ns/a', gone)], { terms, ...loaded, now: hold.until }), '2 -> Active');
});

test('a soak while nothing signs, as between two backends, lasts for half of what the first certificate has left', () => {
  const former = aGeneration(1, 'Retiring', one, { source: 'vault', since: NOW });
  const between = [former, { ...generation(2, 'Trusted', two, NOW), preparedAt: NOW }];
  const members = [member('ns/a', one, 'bundle', hoursFromNow(4))];
  const given = { terms: { soakMs: 24 * HOUR }, ...loaded };
  assert.equal(plan(between, two, members, given).hold?.until, hoursFromNow(2));
  assert.is(step(between, two, members, { ...given, now: hoursFromNow(2) }), '2 -> Active');
});

test('a member that loses the new CA while it is trusted closes the gate again', () => {
  const lacking = [member('ns/a', one, 'old')];
  assert.is(step(trusted, two, lacking, loaded), 'note 2');
  const again = plan(trusted, two, held);
  assert.equal([again.step.do, again.hold?.reason], ['note', 'Propagating'], 'its workload has to load it');
});

test('a paused rotation keeps a new CA out of every ca.crt, makes no step, and loses no time that was waited', () => {
  const terms = { isPaused: true };
  assert.is(step([generation(1, 'Active', one)], two, held, { terms }), 'create Pending');
  const pending = [generation(1, 'Active', one), generation(2, 'Pending', two)];
  for (const generations of [pending, spreading, trusted, reissuing])
    for (const members of [held, [member('ns/a', one, 'old')], []]) {
      const { step: planned, hold } = plan(generations, two, members, { terms, ...loaded });
      assert.equal([planned, hold?.reason], [{ do: 'settle', recheckAt: undefined }, 'Paused']);
    }
  assert.is(step([generation(1, 'Active', gone)], two, [], { terms, now: later }), 'create Active', 'nothing signs');
});

test('a manual rotation stops before the new CA signs and before the former one is removed', () => {
  const terms = { isManual: true };
  assert.is(step(spreading, two, held, { terms, ...loaded }), '2 -> Trusted');
  const { hold } = plan(trusted, two, held, { terms, ...loaded });
  assert.is(hold?.reason, 'WaitingForApproval');
  assert.match(hold?.message ?? '', 'certwheel.io/advance-ca=2/Active');
  const advance = { version: 2, to: 'Active' } as const;
  assert.is(step(trusted, two, held, { terms: { ...terms, advance }, ...loaded }), '2 -> Active');
  for (const other of [{ version: 3, to: 'Active' } as const, { version: 2, to: 'Retired' } as const])
    assert.is(waits(trusted, two, held, { terms: { ...terms, advance: other }, ...loaded }), 'WaitingForApproval');
  const left = [member('ns/a', two)];
  assert.is(waits(reissuing, two, left, { terms, ...ended }), 'WaitingForApproval');
  const removed = { ...terms, advance: { version: 1, to: 'Retired' } as const };
  assert.is(step(reissuing, two, left, { terms: removed, ...ended }), 'retire 1');
});

test('a former CA stays trusted for retireAfter after its last certificate, and after workloads had time to load theirs', () => {
  const terms = { retireAfterMs: 24 * HOUR };
  const left = [member('ns/a', two, 'bundle', hoursFromNow(1_000))];
  const since = { clearSince: new Map([['retire 1', NOW]]) };
  const end = new Date(hoursFromNow(24).getTime() + PROPAGATION_MS);
  const { hold } = plan(reissuing, two, left, { terms, ...since, now: hoursFromNow(1) });
  assert.equal([hold?.reason, hold?.until], ['RetireAfter', end]);
  assert.is(waits(reissuing, two, left, { terms, ...since, now: new Date(end.getTime() - 1) }), 'RetireAfter');
  assert.is(step(reissuing, two, left, { terms, ...since, now: end }), 'retire 1');
  assert.is(waits(reissuing, two, [], { terms, now: NOW }), 'RetireAfter', 'connections outlive the last client too');
});

test('a CA that never signed leaves at once', () => {
  const terms = { retireAfterMs: 24 * HOUR, isManual: true };
  for (const state of ['Pending', 'Prepared', 'Trusted'] as const)
    assert.is(step([generation(1, 'Active', one), generation(2, state, two)], one, held, { terms }), 'retire 2');
});

test('members of other tenants are waited for no longer than that is set', () => {
  const terms = { home: 'certwheel', elsewhereDeadlineMs: HOUR };
  const prepared = [generation(1, 'Active', one), generation(2, 'Prepared', two, NOW)];
  const elsewhere = member('team/a', one, 'old');
  const atHome = { ...member('certwheel/a', one, 'old'), namespace: 'certwheel' };
  assert.equal(plan(prepared, two, [elsewhere], { terms }).hold?.deadline, hoursFromNow(1));
  assert.equal(plan(prepared, two, [elsewhere], { terms, now: hoursFromNow(1) }).leftBehind, ['team/a']);
  assert.equal(plan(prepared, two, [atHome], { terms, now: hoursFromNow(1) }).waitingFor, ['certwheel/a']);
});

test.run();
