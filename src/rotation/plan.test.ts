import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, hoursFromNow, NOW, pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import type { CaPair } from '../pki/ca.ts';
import { endOf, type Generation, signingGeneration, withoutFuture } from './generation.ts';
import { planRotation } from './plan.ts';
import type { Member, Rotation } from './plan-types.ts';

const PROPAGATION_MS = 120_000;
const holder = await root({ commonName: 'one' });
const one = pairOf(holder);
const two = pairOf(await root({ commonName: 'two' }));
const three = pairOf(await root({ commonName: 'three' }));
const gone = pairOf(await root({ commonName: 'gone', notAfter: hoursFromNow(1) }));
const later = hoursFromNow(2);

function generation(
  version: number,
  state: Generation['state'],
  pair: CaPair,
  since = hoursFromNow(version - 10),
): Generation {
  return aGeneration(version, state, pair, { since });
}

const DEADLINE_MS = 24 * 3_600_000;

function member(key: string, issuer: CaPair, bundle = 'bundle', notAfter = hoursFromNow(24)): Member {
  const issuerFingerprint = issuer.certificate.fingerprintSHA256;
  return {
    key,
    issuerFingerprint,
    anchorFingerprints: [issuer.anchor.fingerprintSHA256],
    trustBundleHash: bundle,
    notAfter,
  };
}

function plan(
  generations: readonly Generation[],
  wanted: CaPair | undefined,
  members: readonly Member[] = [],
  given: { clearSince?: Rotation['clearSince']; now?: Date; source?: string | undefined; longestLifeMs?: number } = {},
) {
  const { clearSince = new Map(), now = NOW } = given;
  return planRotation(
    {
      generations,
      members,
      clearSince,
      wanted: wanted?.id,
      trustBundleHash: 'bundle',
      propagationMs: PROPAGATION_MS,
      progressDeadlineMs: DEADLINE_MS,
      longestLifeMs: given.longestLifeMs,
      source: 'source' in given ? given.source : 'secret',
    },
    now,
  );
}

/** The step in a few words. */
function step(...args: Parameters<typeof plan>): string {
  const planned = plan(...args).step;
  switch (planned.do) {
    case 'create':
      return `create ${planned.state}`;
    case 'move':
      return `${planned.generation.version} -> ${planned.to}`;
    case 'mark':
      return `mark ${planned.generation.version}`;
    case 'retire':
      return `retire ${planned.generation.version}`;
    case 'settle':
      return 'settle';
  }
}

test('the first CA signs at once', () => {
  assert.is(step([], one), 'create Active');
});

test("a second CA is prepared, and doesn't sign", () => {
  assert.is(step([generation(1, 'Active', one)], two), 'create Prepared');
});

test('a CA that follows an expired one signs at once', () => {
  assert.is(step([generation(1, 'Active', gone)], two, [], { now: later }), 'create Active');
  const prepared = [generation(1, 'Active', gone), generation(2, 'Prepared', two)];
  const expired = member('a', gone, 'other', hoursFromNow(1));
  assert.is(step(prepared, two, [expired], { now: later }), '2 -> Active');
});

test('without a source that can be read, all stays as it is', () => {
  assert.is(step([], undefined), 'settle');
  assert.is(step([generation(1, 'Active', one), generation(2, 'Prepared', two)], undefined), 'settle');
  assert.is(step([generation(1, 'Retiring', one), generation(2, 'Active', two)], undefined), 'settle');
});

test('one generation that is wanted is the end', () => {
  const { step: planned, waitingFor } = plan([generation(1, 'Active', one)], one, [member('a', one)]);
  assert.equal(planned, { do: 'settle', recheckAt: undefined });
  assert.equal(waitingFor, []);
});

const spreading = [generation(1, 'Active', one), generation(2, 'Prepared', two)];
const reissuing = [generation(1, 'Retiring', one), generation(2, 'Active', two)];

test('a certificate that has expired, or a Secret that holds none, keeps nothing waiting', () => {
  const expired = member('ns/expired', one, 'old', hoursFromNow(-1));
  const empty = { ...member('ns/empty', one, 'old'), notAfter: undefined };
  assert.is(step(spreading, two, [expired, empty]), '2 -> Active');
  assert.is(step(reissuing, two, [expired, empty]), 'retire 1');
});

test('what ends after all that a leaving CA can have signed keeps it no longer than that, and is named', () => {
  const since = hoursFromNow(-30);
  const leaving = [
    aGeneration(1, 'Retiring', one, { since, created: hoursFromNow(-900) }),
    generation(2, 'Active', two, since),
  ];
  const forged = member('Secret ns/forged', one, 'bundle', hoursFromNow(20));
  const longestLifeMs = 40 * HOUR;
  const before = plan(leaving, two, [forged], { longestLifeMs });
  assert.equal(before.step, { do: 'settle', recheckAt: hoursFromNow(10) });
  assert.equal([before.waitingFor, before.leftBehind], [['Secret ns/forged'], []]);
  const after = plan(leaving, two, [forged], { longestLifeMs, now: hoursFromNow(10) });
  assert.equal([after.waitingFor, after.leftBehind], [[], ['Secret ns/forged']]);
  const clearSince = new Map([['retire 1', hoursFromNow(10)]]);
  assert.is(step(leaving, two, [forged], { longestLifeMs, now: hoursFromNow(11), clearSince }), 'retire 1');
  assert.is(step(leaving, two, [forged], { now: hoursFromNow(19), clearSince }), 'settle', 'without a limit');
});

test('what ends after the CA that signed it counts no longer than that CA, also without a limit', () => {
  const leaving = [generation(1, 'Retiring', gone), generation(2, 'Active', two)];
  const forged = member('Secret ns/forged', gone, 'bundle', hoursFromNow(400_000));
  assert.equal(plan(leaving, two, [forged]).step, { do: 'settle', recheckAt: hoursFromNow(1) });
  assert.equal(plan(leaving, two, [forged], { now: later }).leftBehind, ['Secret ns/forged']);
});

test('a certificate that is known from status alone holds up a step, and brings no CA back', () => {
  const told = { ...member('ns/told', one), trustBundleHash: '', fromStatus: true } as const;
  assert.equal(plan(reissuing, two, [told]).waitingFor, ['ns/told']);
  assert.equal(plan(spreading, two, [told]).waitingFor, ['ns/told']);
  const damaged = [generation(1, 'Retiring', one), generation(2, 'Retiring', two)];
  assert.is(step(damaged, two, [member('ns/held', one)]), '1 -> Active');
  assert.is.not(step(damaged, two, [told]), '1 -> Active');
});

test('a CA whose annotations were damaged leaves no earlier than what was signed until its successor came', () => {
  const damaged = aGeneration(1, 'Retiring', one, { since: hoursFromNow(-900), created: hoursFromNow(-900) });
  const leaving = [damaged, generation(2, 'Active', two, hoursFromNow(-1))];
  const held = member('ns/held', one, 'bundle', hoursFromNow(20));
  assert.equal(plan(leaving, two, [held], { longestLifeMs: 24 * HOUR }).waitingFor, ['ns/held']);
});

test('what a leaving CA can not have signed does not keep the next CA from signing either', () => {
  const since = hoursFromNow(-50);
  const generations = [
    aGeneration(1, 'Retiring', one, { since, created: hoursFromNow(-900) }),
    generation(2, 'Active', two, since),
    generation(3, 'Prepared', three, NOW),
  ];
  const forged = member('Secret ns/forged', one, 'old', hoursFromNow(20));
  assert.equal(plan(generations, three, [forged]).waitingFor, ['Secret ns/forged']);
  assert.equal(plan(generations, three, [forged], { longestLifeMs: 40 * HOUR }).waitingFor, []);
});

test('a member that can not be written delays a new CA until the deadline, and is named', () => {
  const stuck = member('ns/stuck', one, 'old', hoursFromNow(1_000));
  const since = hoursFromNow(0);
  const prepared = [generation(1, 'Active', one), generation(2, 'Prepared', two, since)];
  const before = plan(prepared, two, [stuck]);
  assert.equal(before.step, { do: 'settle', recheckAt: new Date(since.getTime() + DEADLINE_MS) });
  const late = new Date(since.getTime() + DEADLINE_MS);
  const after = plan(prepared, two, [stuck], { now: late });
  assert.equal([after.waitingFor, after.leftBehind], [[], ['ns/stuck']]);
  const clearSince = new Map([['move 2', late]]);
  const loaded = new Date(late.getTime() + PROPAGATION_MS);
  assert.is(step(prepared, two, [stuck], { now: loaded, clearSince }), '2 -> Active', 'the others had time to load it');
  // Its certificate is still good, so what it was signed by goes on being trusted.
  assert.is(step(reissuing, two, [stuck], { now: late }), 'settle');
});

const from = (source: string, ...each: Parameters<typeof generation>) => ({ ...generation(...each), source });

test('a generation that another type of authority brought signs no more, and leaves when its last certificate has', () => {
  const former = from('selfManaged', 1, 'Active', one);
  const holder = member('ns/a', one, 'bundle');
  assert.is(step([former], two, [holder]), '1 -> Retiring');
  const leaving = from('selfManaged', 1, 'Retiring', one);
  assert.is(step([leaving], two, [holder]), 'create Prepared', 'the new one waits until it is trusted');
  const both = [leaving, generation(2, 'Prepared', two)];
  assert.is(step(both, two, [member('ns/a', one, 'old')]), 'settle');
  const waited = { clearSince: new Map([['move 2', hoursFromNow(-1)]]) };
  assert.is(step(both, two, [holder], waited), '2 -> Active');
  const signs = [leaving, generation(2, 'Active', two)];
  assert.is(step(signs, two, [holder]), 'settle');
  assert.is(step(signs, two, []), 'retire 1');
});

test('where another machine holds the CA key, what Certwheel held before leaves by the same gate', () => {
  const elsewhere = { source: undefined };
  const holder = member('ns/a', one, 'bundle');
  assert.is(step([from('secret', 1, 'Active', one)], undefined, [holder], elsewhere), '1 -> Retiring');
  const leaving = [from('secret', 1, 'Retiring', one)];
  assert.is(step(leaving, undefined, [holder], elsewhere), 'settle');
  const renewed = member('ns/a', two, 'bundle');
  assert.is(step(leaving, undefined, [renewed], elsewhere), 'settle', 'time to load it');
  const waited = { ...elsewhere, clearSince: new Map([['retire 1', hoursFromNow(-1)]]) };
  assert.is(step(leaving, undefined, [renewed], waited), 'retire 1');
  assert.is(step([from('secret', 1, 'Prepared', one)], undefined, [holder], elsewhere), 'retire 1');
});

test('a moment ahead counts from the creation of the Secret and is written anew, or from now where that lies ahead too', () => {
  const created = hoursFromNow(-5);
  const ahead = aGeneration(1, 'Active', one, { since: hoursFromNow(720), created });
  const read = withoutFuture(ahead, NOW);
  assert.equal(read, { ...ahead, since: created, mark: 'partial' });
  assert.is(step([read], one, [member('a', one)]), 'mark 1');
  const madeAhead = withoutFuture({ ...ahead, created: hoursFromNow(710) }, NOW);
  assert.equal(madeAhead.since, NOW);
  assert.is(step([madeAhead], one, [member('a', one)]), 'settle');
  const successor = generation(2, 'Active', two, hoursFromNow(-1));
  assert.is(signingGeneration([read, successor], NOW), successor);
  const soon = generation(1, 'Active', one, new Date(NOW.getTime() + 30_000));
  assert.is(withoutFuture(soon, NOW), soon, 'the clock of another replica');
  assert.is(signingGeneration([soon, successor], NOW), successor);
  assert.is(signingGeneration([soon], NOW), soon);
});

test('a generation without its mark gets it before any step of the rotation', () => {
  const adopted = aGeneration(2, 'Active', two, { mark: 'none' });
  assert.is(step([generation(1, 'Retiring', one), adopted], two), 'mark 2');
  assert.is(step([adopted], undefined), 'mark 2', 'though its source is away');
});

test('the members that block a step are named in one order, whatever the order in which they are known', () => {
  const blocking = ['c', 'a', 'b'].map((key) => member(key, one, 'old'));
  assert.equal(plan(spreading, two, blocking).waitingFor, ['a', 'b', 'c']);
});

test('a generation that has lost its mark belongs to the authority as it is', () => {
  assert.is(step([from('', 1, 'Active', one)], one, [member('ns/a', one)]), 'settle');
});

test('the new CA waits for every ca.crt, and says for whose', () => {
  const {
    step: planned,
    waitingFor,
    clearSince,
  } = plan(spreading, two, [member('ns/a', one, 'old'), member('ns/b', one)], {
    clearSince: new Map([['move 2', hoursFromNow(-1)]]),
  });
  assert.equal(planned, { do: 'settle', recheckAt: hoursFromNow(2 - 10 + 24) }, 'the deadline');
  assert.equal(waitingFor, ['ns/a']);
  assert.is(clearSince.size, 0, 'the wait begins anew');
});

test('once all have it, the new CA waits as long as workloads take to load it', () => {
  const first = plan(spreading, two, [member('a', one)]);
  const opensAt = new Date(NOW.getTime() + PROPAGATION_MS);
  assert.equal(first.step, { do: 'settle', recheckAt: opensAt });
  assert.equal([...first.clearSince], [['move 2', NOW]]);
  const members = [member('a', one)];
  const justBefore = new Date(opensAt.getTime() - 1);
  assert.is(step(spreading, two, members, { clearSince: first.clearSince, now: justBefore }), 'settle');
  assert.is(step(spreading, two, members, { clearSince: first.clearSince, now: opensAt }), '2 -> Active');
});

test('without certificates no step waits', () => {
  assert.is(step(spreading, two), '2 -> Active');
  assert.is(step(reissuing, two), 'retire 1');
});

test('of two that are active, the one that became it last signs, and the other retires', () => {
  const both = [generation(1, 'Active', one, hoursFromNow(-5)), generation(2, 'Active', two, hoursFromNow(-1))];
  assert.is(signingGeneration(both, NOW)?.version, 2);
  assert.is(step(both, two), '1 -> Retiring');
  const back = [generation(1, 'Active', one, hoursFromNow(-1)), generation(2, 'Active', two, hoursFromNow(-5))];
  assert.is(signingGeneration(back, NOW)?.version, 1);
  assert.is(step(back, one), '2 -> Retiring');
  const tie = [generation(1, 'Active', one, NOW), generation(2, 'Active', two, NOW)];
  assert.is(signingGeneration(tie, NOW)?.version, 2);
});

test('the old CA waits for its last valid certificate, then as long as workloads take', () => {
  const { step: planned, waitingFor } = plan(reissuing, two, [member('ns/a', one), member('ns/b', two)]);
  assert.equal(waitingFor, ['ns/a']);
  assert.equal(planned, { do: 'settle', recheckAt: hoursFromNow(24) }, 'looked at again when that one has run out');
  const clear = plan(reissuing, two, [member('ns/b', two), member('ns/c', one, 'bundle', hoursFromNow(-1))]);
  assert.equal([...clear.clearSince], [['retire 1', NOW]]);
  const opensAt = new Date(NOW.getTime() + PROPAGATION_MS);
  assert.is(step(reissuing, two, [member('b', two)], { clearSince: clear.clearSince, now: opensAt }), 'retire 1');
});

test('a CA that was prepared and is no longer wanted goes at once', () => {
  assert.is(step(spreading, one, [member('a', one)]), 'retire 2');
});

test('on the way back, the former CA signs again only after the wait', () => {
  const { step: planned } = plan(reissuing, one, [member('a', one), member('b', two)]);
  assert.is(planned.do, 'settle');
  const since = { clearSince: new Map([['move 1', NOW]]), now: new Date(NOW.getTime() + PROPAGATION_MS) };
  assert.is(step(reissuing, one, [member('a', one), member('b', two)], since), '1 -> Active');
});

test('the wait of a CA on its way back does not count when it is to leave after all', () => {
  const members = [member('a', two)];
  const { clearSince } = plan(reissuing, one, members);
  const later = new Date(NOW.getTime() + PROPAGATION_MS);
  assert.is(step(reissuing, two, members, { clearSince, now: later }), 'settle');
});

test('a third CA in the middle of a swap is prepared beside the two', () => {
  assert.is(step(spreading, three), 'create Prepared');
  assert.is(step(reissuing, three), 'create Prepared');
  const all = [...spreading, generation(3, 'Prepared', three)];
  const since = { clearSince: new Map([['move 3', NOW]]), now: new Date(NOW.getTime() + PROPAGATION_MS) };
  assert.is(step(all, three, [member('a', one)], since), '3 -> Active');
});

test('a CA whose mark was lost goes on signing while its certificates are about', () => {
  const damaged = [generation(1, 'Retiring', one), generation(2, 'Prepared', two)];
  assert.is(step(damaged, two, [member('a', one)]), '1 -> Active');
  assert.is(step(damaged, undefined, [member('a', one)]), '1 -> Active', 'though its source is away');
  assert.is(step([generation(1, 'Retiring', one)], two, [member('a', one)]), '1 -> Active');
  assert.is(step(damaged, two, [member('a', one, 'bundle', hoursFromNow(-1))]), '2 -> Active', 'nobody uses it');
  assert.is(step([generation(1, 'Retiring', one)], one, [member('a', one)]), '1 -> Active');
});

test('of a CA that was renewed and kept its key, the old certificate waits for nobody to be re-issued', async () => {
  const again = await signedAgain();
  const both = [generation(1, 'Retiring', one), generation(2, 'Active', again)];
  assert.equal(plan(both, again, [member('a', one)]).waitingFor, []);
});

test('a generation that is there twice leaves once', () => {
  const twice = [generation(1, 'Active', one, hoursFromNow(-2)), generation(2, 'Active', one, hoursFromNow(-1))];
  assert.is(step(twice, one, [member('a', one)]), '1 -> Retiring');
  const next = [generation(1, 'Retiring', one), generation(2, 'Active', one)];
  const since = { clearSince: new Map([['retire 1', NOW]]), now: new Date(NOW.getTime() + PROPAGATION_MS) };
  assert.is(step(next, one, [member('a', one)], since), 'retire 1');
});

test('another root above the same certificate is spread, signs, and the former root leaves with the last that needs it', async () => {
  const [top, other] = [await root({ commonName: 'Top' }), await root({ commonName: 'Other' })];
  const below = await signIntermediate(top);
  const [former, next] = [pairOf(below, top), pairOf(below, other)];
  const both = (key: string): Member => ({
    ...member(key, former),
    anchorFingerprints: [former.anchor.fingerprintSHA256, next.anchor.fingerprintSHA256],
  });
  const [active, prepared] = [generation(1, 'Active', former), generation(2, 'Prepared', next)];
  assert.is(step([active], next, [member('a', former)]), 'create Prepared');
  const opened = (name: string) => ({
    clearSince: new Map([[name, NOW]]),
    now: new Date(NOW.getTime() + PROPAGATION_MS),
  });
  assert.is(step([active, prepared], next, [both('a')], opened('move 2')), '2 -> Active');
  const leaving = [generation(1, 'Retiring', former), generation(2, 'Active', next)];
  assert.is(step(leaving, next, [both('a'), member('b', former)], opened('retire 1')), 'settle');
  assert.is(step(leaving, next, [both('a'), both('b')], opened('retire 1')), 'retire 1');
});

test('a CA ends with the first of those above it', async () => {
  const short = await root({ notAfter: hoursFromNow(10) });
  const below = await signIntermediate(short, { notAfter: hoursFromNow(100) });
  const pair = pairOf(below, short);
  assert.equal(endOf(pair), hoursFromNow(10));
  const active = generation(1, 'Active', pair, NOW);
  assert.is(signingGeneration([active], new Date(hoursFromNow(10).getTime() - 1)), active);
  assert.is(signingGeneration([active], hoursFromNow(10)), undefined);
  assert.is(signingGeneration([generation(1, 'Retiring', one)], NOW), undefined);
});

/** `one` with another certificate over the same key and name, good for longer. */
async function signedAgain(): Promise<CaPair> {
  const { makeRoot } = await import('../pki/issue.ts');
  const { parseCertificate } = await import('../pki/certificate.ts');
  const { signerOf } = await import('../pki/signer.ts');
  const der = await makeRoot({
    subject: { commonName: 'one', organizations: ['Certwheel'] },
    signer: signerOf(holder.key),
    notBefore: NOW,
    notAfter: new Date(NOW.getTime() + 2_000 * HOUR),
    serialNumber: Buffer.from([7]),
  });
  return pairOf({ certificate: parseCertificate(der), key: holder.key });
}

test('a chain that ended without its root leaves once the root stands above it, while its certificates still lead there', async () => {
  const top = await root({ commonName: 'top' });
  const below = await signIntermediate(top);
  const [partial, whole] = [pairOf(below), pairOf(below, top)];
  const generations = [generation(1, 'Retiring', partial), generation(2, 'Active', whole)];
  const clearSince = new Map([['retire 1', hoursFromNow(-1)]]);
  const anchorFingerprints = [partial, whole].map(({ anchor }) => anchor.fingerprintSHA256);
  assert.is(step(generations, whole, [{ ...member('ns/a', partial), anchorFingerprints }], { clearSince }), 'retire 1');
});

test.run();
