/** Renewal information of a real HTTPS server. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../../test/teardown.ts';
import { failure, issuer, json, serving, signal } from '../../../test/unit/authority-server.ts';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { renewalInfoOf } from './renewal-info.ts';
import { Session } from './session.ts';

test.after(stopAll);

const LEAF = { authorityKeyId: 'ab'.repeat(20), serialNumber: '0a' };
const WINDOW = { start: '2026-06-01T00:00:00Z', end: '2026-06-02T00:00:00Z' };

/** An ACME server whose renewal information is answered so, and the session with it. */
function withServer(
  answer: { readonly status: number; readonly retryAfter?: string },
  use: (session: Session, clock: FakeClock) => Promise<void>,
): Promise<void> {
  let url = '';
  return serving(
    (request, response) => {
      if (request.url?.startsWith('/info') === true) {
        if (answer.retryAfter !== undefined) response.setHeader('retry-after', answer.retryAfter);
        return json(response, answer.status, { suggestedWindow: WINDOW });
      }
      const names = ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange'];
      const directory = Object.fromEntries(names.map((each) => [each, `${url}/${each}`]));
      return json(response, 200, { ...directory, renewalInfo: `${url}/info` });
    },
    async (served) => {
      url = served.url;
      const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
      const spec = { server: `${url}/directory`, caBundle: Buffer.from(issuer.certificatePem).toString('base64') };
      const objects = { namespace: 'ns' } as never;
      await use(new Session(spec, { addresses: { loopback: true }, clock, objects }), clock);
    },
  );
}

test('a server that wants no questions about renewals now is asked for certificates all the same', () =>
  withServer({ status: 429, retryAfter: '3600' }, async (session, clock) => {
    await renewalInfoOf(session, LEAF, signal);
    const again = await failure(renewalInfoOf(session, LEAF, signal));
    assert.is(again.code, 'AuthorityBusy');
    await session.readDirectory(signal);
    await clock.advance(3_600_000);
    await renewalInfoOf(session, LEAF, signal);
  }));

test('the moment in a window is the same at every question, and another one for another certificate', () =>
  withServer({ status: 200, retryAfter: '60' }, async (session) => {
    const of = async (serialNumber: string) =>
      (await renewalInfoOf(session, { ...LEAF, serialNumber }, signal))?.suggested?.getTime();
    const [first, again, other] = [await of('0a'), await of('0a'), await of('0b')];
    assert.type(first, 'number');
    assert.is(again, first);
    assert.is.not(other, first);
  }));

test.run();
