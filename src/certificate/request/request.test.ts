/** Requests to an authority that answers later: a fake one, since no real one can be made to crash between two lines. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { aCertificate, after, DAY, HOUR } from '../../../test/unit/builders.ts';
import { anOwnAuthority } from '../../../test/unit/own-authority.ts';
import { bench, fails, signal, WAIT } from '../../../test/unit/request-bench.ts';
import { thrownBy } from '../../../test/unit/thrown-by.ts';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { DeniedError, RetryableError } from '../../errors.ts';
import type { AuthorityView } from '../authority-view.ts';
import { wasDenied } from '../decision/obstacles.ts';

test('the key is kept before the authority is asked, and the same request is made until the answer is there', async () => {
  const { look, wait, sign, asked, clock, keys, secret } = bench();
  let keptFirst = false;
  const first = await look(async (request) => {
    keptFirst = keys.object !== undefined;
    return wait(request);
  });
  assert.ok(keptFirst);
  assert.equal('pending' in first && first.pending, WAIT);
  await clock.advance(1_000);
  const second = await look(sign);
  assert.ok('secret' in second);
  assert.is(asked[0]?.id, asked[1]?.id);
  assert.equal(asked[0]?.publicKey, asked[1]?.publicKey);
  assert.equal([asked[0]?.ticket, asked[1]?.ticket], [undefined, 'T']);
  assert.is(keys.reads, 0);
  assert.ok(secret()?.certificate);
});

test('an authority is not polled before its time, whatever wakes the certificate', async () => {
  const { look, wait, asked, clock } = bench();
  await look(wait);
  await clock.advance(400);
  const early = await look(wait);
  assert.equal('pending' in early && early.pending, { ...WAIT, pollAfterMs: 600 });
  assert.is(asked.length, 1);
});

test('after a crash at any moment the same request is made, with its ticket', async () => {
  const { look, wait, sign, asked, keys, restart, secret } = bench();
  await thrownBy(look(fails(new Error('crash before the answer'))));
  restart();
  await look(wait);
  restart();
  await look(sign);
  assert.is(new Set(asked.map(({ id }) => id)).size, 1);
  assert.is(new Set(asked.map(({ publicKey }) => publicKey.toString('hex'))).size, 1);
  assert.equal(
    asked.map(({ ticket }) => ticket),
    [undefined, undefined, 'T'],
  );
  assert.is(keys.reads, 2);
  assert.ok(secret()?.certificate);
});

test('a replica whose cache is behind makes no request that another has removed after its answer', async () => {
  const resource = aCertificate().build();
  const { look, wait, sign, asked, restart, seen, view } = bench({ ticket: 'id' });
  await look(wait);
  const behind = seen(resource);
  restart();
  await look(sign);
  assert.is(asked.length, 2);
  restart();
  const error = await thrownBy(look(sign, resource, view, behind));
  assert.is(error instanceof RetryableError && error.code, 'Conflict');
  assert.is(asked.length, 2);
});

test('a ticket that is the id costs no write', async () => {
  const { look, wait, keys } = bench({ ticket: 'id' });
  await look(wait);
  assert.is(keys.writes, 1);
});

test('another spec, another authority or another uid is another request with another key; the former is forgotten', async () => {
  const changes: ((one: ReturnType<typeof bench>) => [ClientCertificate, AuthorityView])[] = [
    ({ view }) => [aCertificate({ commonName: 'other' }).build(), view],
    ({ view }) => [aCertificate({ duration: '2h' }).build(), view],
    ({ view }) => [aCertificate({ privateKey: { algorithm: 'RSA' } }).build(), view],
    ({ view }) => [aCertificate().with({ uid: 'uid-2' }).build(), view],
    ({ view }) => [aCertificate().build(), { ...view, origin: 'origin 2' }],
  ];
  for (const change of changes) {
    const one = bench();
    await one.look(one.wait);
    await one.look(one.wait, ...change(one));
    const [before, later] = one.asked;
    assert.is.not(before?.id, later?.id);
    assert.not.equal(before?.publicKey, later?.publicKey);
    assert.equal(one.forgotten, [before?.id]);
    assert.is(one.keys.view()?.id, later?.id);
  }
});

test('a change of the spec that does not concern the certificate keeps the request', async () => {
  const one = bench();
  await one.look(one.wait);
  await one.clock.advance(1_000);
  await one.look(one.wait, aCertificate({ renewBeforePercentage: 40, secretTemplate: { labels: { a: 'b' } } }).build());
  assert.is(one.asked[0]?.id, one.asked[1]?.id);
});

test('an answer that is refused, or a request that came to nothing, is followed by another one', async () => {
  const one = bench();
  const foreign = anOwnAuthority([await root()], one.clock);
  const error = await thrownBy(one.look((request) => foreign.backend.issue(request, signal)));
  assert.is((error as RetryableError).code, 'InvalidAnswer');
  assert.is(one.keys.object, undefined);
  await thrownBy(one.look(fails(new RetryableError('RequestFailed', 'gone'))));
  assert.is(one.keys.object, undefined);
  await one.look(one.sign);
  assert.is(new Set(one.asked.map(({ id }) => id)).size, 3);
  assert.equal(one.forgotten.slice(0, 2), [one.asked[0]?.id, one.asked[1]?.id]);
});

test('any other failure leaves the request under way', async () => {
  const one = bench();
  await thrownBy(one.look(fails(new RetryableError('ApiServerUnavailable', 'away'))));
  await one.look(one.sign);
  assert.is(one.asked[0]?.id, one.asked[1]?.id);
});

test('a denial survives a restart, keeps no private key, and ends after an hour, or with another spec or renew-at', async () => {
  const one = bench();
  await one.look(one.wait);
  await one.clock.advance(1_000);
  await thrownBy(one.look(fails(new DeniedError('RequestDenied', 'no'))));
  assert.is(one.keys.object?.data?.['tls.key'], '');
  assert.equal(one.forgotten, [one.asked[0]?.id]);
  one.restart();
  const now = one.clock.now();
  const denied = (resource: ClientCertificate, view = one.view, laterMs = HOUR - 1) =>
    wasDenied(one.seen(resource, view), after(laterMs, now));
  const kept = { do: 'refuse', code: 'RequestDenied', message: 'no', recheckAt: after(HOUR, now) };
  assert.equal(denied(aCertificate().build()), kept);
  assert.is(denied(aCertificate().build(), one.view, HOUR), undefined, 'another request after an hour');
  const setBack = denied(aCertificate().build(), one.view, -DAY);
  assert.is(setBack, undefined, 'a clock that was set back');
  assert.is(denied(aCertificate({ commonName: 'other' }).build()), undefined);
  assert.is(denied(aCertificate().build(), { ...one.view, origin: 'another' }), undefined);
  assert.is(
    denied(
      aCertificate()
        .renewAt(after(HOUR / 2, now))
        .build(),
    ),
    undefined,
  );
});

test('what was made for a denied request is removed once after a restart, as it may have stayed', async () => {
  const one = bench();
  one.keepsRequests = true;
  await thrownBy(one.look(fails(new DeniedError('RequestDenied', 'no'))));
  // As where the process ends between the denial and the removal.
  one.restart();
  one.keepsRequests = false;
  assert.equal(one.forgotten, []);
  await one.tidy();
  await one.tidy();
  assert.equal(one.forgotten, [one.asked[0]?.id]);
  assert.is(one.keys.view()?.denied?.message, 'no');
});

test('a denial that was followed by the removal has nothing removed again by the same process', async () => {
  const one = bench();
  await thrownBy(one.look(fails(new DeniedError('RequestDenied', 'no'))));
  await one.tidy();
  assert.equal(one.forgotten, [one.asked[0]?.id]);
});

test('a person who denies is not asked again but for a change or a renew-at', async () => {
  const one = bench();
  await thrownBy(one.look(fails(new DeniedError('RequestDenied', 'no'))));
  const now = one.clock.now();
  const view = { ...one.view, capabilities: { ...one.view.capabilities, denialIsFinal: true } };
  const denied = (resource: ClientCertificate) => wasDenied(one.seen(resource, view), after(DAY, now));
  assert.equal(denied(aCertificate().build()), { do: 'refuse', code: 'RequestDenied', message: 'no' });
  const later = after(2 * DAY, now);
  const comes = denied(aCertificate().renewAt(later).build());
  assert.equal(comes?.do === 'refuse' && comes.recheckAt, later);
  assert.is(denied(aCertificate().renewAt(after(HOUR, now)).build()), undefined);
  assert.is(denied(aCertificate({ commonName: 'other' }).build()), undefined);
});

test('a key that is to stay the same is asked for again, in a request of its own', async () => {
  const one = bench();
  const resource = aCertificate({ privateKey: { rotationPolicy: 'Never' } }).build();
  await one.look(one.sign, resource);
  await one.look(one.sign, resource);
  assert.equal(one.asked[0]?.publicKey, one.asked[1]?.publicKey);
  assert.is.not(one.asked[0]?.id, one.asked[1]?.id);
});

test.run();
