import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, anObserved, DAY, HOUR, MINUTE, NOW, RUN } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import type { RenewalInfo } from '../backends/backend.ts';
import { AuthorityError } from '../errors.ts';
import { RenewalSuggestions } from './renewal-suggestions.ts';

const KEY = 'team/client';
const SEEN = anObserved().withSecret().build();
type Answer = RenewalInfo | undefined | Error;

/** What an authority answers, one after the other, and the serial numbers about which it was asked. */
function given(...answers: readonly Answer[]) {
  const clock = new FakeClock(NOW);
  const asked: string[] = [];
  const rest = [...answers];
  const backend = {
    renewalInfo: async ({ serialNumber, authorityKeyId = '' }: { serialNumber: string; authorityKeyId?: string }) => {
      asked.push(`${serialNumber} of ${authorityKeyId}`);
      const answer = rest.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  let current: { renewalInfo?: typeof backend.renewalInfo } = backend;
  const suggestions = new RenewalSuggestions({ clock, log: SILENT, backendOf: () => current as never });
  return {
    clock,
    asked,
    suggestions,
    look: (seen = SEEN) => suggestions.look(seen, RUN),
    becomes: (other: typeof current) => {
      current = other;
    },
  };
}

test('a new certificate is asked about within ten minutes, by its serial number and the key id of its issuer', async () => {
  const one = given({ suggested: after(5 * HOUR), askAgainInMs: 6 * HOUR });
  const first = await one.look();
  assert.ok(first !== undefined && first >= NOW && first <= after(10 * MINUTE));
  assert.equal(one.asked, []);
  await one.clock.advance(10 * MINUTE);
  assert.equal(await one.look(), one.clock.now(), 'it is looked at again at once, with what is suggested');
  assert.equal(one.asked, ['0a of key 1']);
  assert.equal(one.suggestions.of(KEY)?.moment, after(5 * HOUR));
  assert.equal(await one.look(), after(6 * HOUR + 10 * MINUTE));
  assert.is(one.asked.length, 1);
});

test('a failure leaves the suggestion as it was, and the authority is asked again an hour later', async () => {
  const gone = new AuthorityError('AuthorityUnreachable', 'no answer');
  const one = given({ suggested: after(5 * HOUR), askAgainInMs: MINUTE }, gone, undefined);
  await one.look();
  await one.clock.advance(10 * MINUTE);
  await one.look();
  await one.clock.advance(MINUTE);
  assert.equal(await one.look(), after(11 * MINUTE + HOUR));
  assert.equal(one.suggestions.of(KEY)?.moment, after(5 * HOUR));
  await one.clock.advance(HOUR);
  assert.equal(await one.look(), one.clock.now());
  assert.is(one.suggestions.of(KEY)?.moment, undefined, 'what it takes back counts no more');
});

test('what was suggested about a former certificate is forgotten with the next, and so is all where the authority suggests nothing', async () => {
  const one = given({ suggested: after(5 * HOUR), askAgainInMs: HOUR });
  await one.look();
  await one.clock.advance(10 * MINUTE);
  await one.look();
  await one.look(SEEN.with({ secret: { ...SEEN.secret, certificate: { ...SEEN.held, serialNumber: '0b' } } as never }));
  assert.is(one.suggestions.of(KEY)?.serialNumber, '0b');
  assert.is(one.suggestions.of(KEY)?.moment, undefined);
  one.becomes({});
  assert.is(await one.look(), undefined);
  assert.is(one.suggestions.of(KEY), undefined);
});

test('after a clock that was far ahead is set back, it is asked again', async () => {
  const one = given({ suggested: after(5 * HOUR), askAgainInMs: HOUR });
  one.clock.jump(365 * DAY);
  await one.look();
  one.clock.jump(-365 * DAY);
  await one.look();
  assert.is(one.asked.length, 1);
});

test('an authority is not asked about what its fallback issued', async () => {
  const one = given();
  const memory = { ...SEEN.secret?.memory, issuedBy: 'CertificateAuthority/reserve' };
  const held = SEEN.with({ secret: { ...SEEN.secret, memory } as never });
  assert.ok(held.ours);
  assert.is(await one.look(held), undefined);
});

test('nothing is asked about a certificate that is not ours, or without an authority', async () => {
  const one = given();
  assert.is(await one.look(anObserved().withForeignSecret().build()), undefined);
  assert.is(await one.look(anObserved().withSecret().from('AuthorityNotFound').build()), undefined);
  assert.equal(one.asked, []);
});

test.run();
