import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, hoursFromNow, NOW, root, serial } from '../../../test/pki/make.ts';
import { signerOf } from '../../pki/signer.ts';
import { crlDue, listedNext, nextNumber, type Revoked } from './crl-due.ts';
import { type CrlMaps, publishCrl } from './publish-crl.ts';

const ca = await root();
const WEEK = 168 * HOUR;
const seed = Math.floor(Math.random() * 2 ** 31);
console.log(`# seed ${seed}`);

function revokedAt(hours: number, change: Partial<Revoked> = {}): Revoked {
  return {
    serialNumber: serial().toString('hex'),
    revokedAt: hoursFromNow(hours),
    reason: 'keyCompromise',
    notAfter: hoursFromNow(1_000),
    ...change,
  };
}

/** Takes what is published, and answers as an API server that changes nothing. */
const MAPS: CrlMaps = {
  namespace: 'certwheel-system',
  list: async () => [],
  get: async () => undefined,
  apply: async (manifest) => manifest,
  delete: async () => {},
};

async function published(revoked: readonly Revoked[], now = NOW) {
  const { crl } = await publishCrl(
    {
      place: { uid: 'u', version: 1 },
      ca: { certificate: ca.certificate, signer: signerOf(ca.key) },
      revoked,
      former: undefined,
      formerNumber: undefined,
      now,
      validityMs: WEEK,
    },
    MAPS,
  );
  if (crl === undefined) throw new Error('no CRL');
  return crl;
}

test('the first CRL is due at once, the next one at half of the time for which it may be used', async () => {
  assert.equal(crlDue(undefined, [], NOW, WEEK), NOW);
  const due = crlDue(await published([]), [], NOW, WEEK);
  assert.ok(Math.abs(due.getTime() - hoursFromNow(84).getTime()) <= 60_000, due.toISOString());
});

test('a shorter validity brings the next CRL forward', async () => {
  const due = crlDue(await published([]), [], NOW, 2 * HOUR);
  assert.ok(due <= hoursFromNow(1) && due > hoursFromNow(0.9), due.toISOString());
});

test('what is revoked, or revoked for another reason, is listed within seconds', async () => {
  const known = revokedAt(-1);
  const crl = await published([known]);
  const soon = new Date(NOW.getTime() + 3_000);
  assert.ok(crlDue(crl, [known], NOW, WEEK) > hoursFromNow(80));
  assert.ok(crlDue(crl, [known, revokedAt(0)], NOW, WEEK) < soon);
  assert.ok(crlDue(crl, [{ ...known, reason: 'superseded' }], NOW, WEEK) < soon);
  assert.ok(crlDue(crl, [{ ...known, revokedAt: hoursFromNow(-2) }], NOW, WEEK) < soon);
});

test('neither the end of a certificate nor its removal from the register causes a CRL', async () => {
  const short = revokedAt(-1, { notAfter: hoursFromNow(1) });
  const crl = await published([short]);
  assert.ok(crlDue(crl, [short], hoursFromNow(2), WEEK) > hoursFromNow(80));
  assert.ok(crlDue(crl, [], hoursFromNow(2), WEEK) > hoursFromNow(80));
});

test('a CRL that was signed by a clock that was ahead is replaced at once', async () => {
  const crl = await published([], hoursFromNow(5));
  assert.equal(crlDue(crl, [], NOW, WEEK), NOW);
});

test('a certificate that has expired stays on one more CRL, and is listed once', async () => {
  const entry = revokedAt(-1, { notAfter: hoursFromNow(1) });
  const before = await published([entry]);
  assert.equal(listedNext(before, [entry, entry]), [entry]);
  const after = await published([entry], hoursFromNow(2));
  assert.equal(listedNext(after, [entry]), []);
});

test('numbers grow, whatever the clock does and whatever was lost', () => {
  const moments = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(fc.array(moments, { minLength: 2, maxLength: 20 }), (all) => {
      let former: bigint | undefined;
      for (const now of all) {
        const next = nextNumber(former, now);
        assert.ok(former === undefined || next > former);
        former = next;
      }
    }),
    { seed },
  );
  assert.ok(nextNumber(undefined, hoursFromNow(1)) > nextNumber(undefined, NOW), 'the former one was lost');
});

test.run();
