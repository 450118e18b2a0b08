import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { UpdateAnswer } from './dns/client.ts';
import { RCODE } from './dns/message.ts';
import { updateRefusal } from './refusals.ts';

const CONTEXT = {
  server: 'ns1.example.com:53',
  zone: 'example.com',
  name: '_acme-challenge.www.example.com',
  keyName: 'certwheel',
  algorithm: 'HMACSHA256',
  secret: 'key tsig of Secret dns',
  now: 1_000,
};

const answered = (rcode: number, more: Partial<UpdateAnswer> = {}) =>
  updateRefusal({ rcode, tsigError: 0, isSigned: true, ...more }, CONTEXT);

test('an update that was made is no refusal', () => assert.is(answered(RCODE.NOERROR), undefined));

for (const [rcode, more, message] of [
  [
    RCODE.NOTAUTH,
    { tsigError: RCODE.BADKEY, isSigned: false },
    /no TSIG key certwheel with HMACSHA256 \(BADKEY\); compare tsigKeyName/,
  ],
  [RCODE.NOTAUTH, { tsigError: RCODE.BADSIG, isSigned: false }, /\(BADSIG\); key tsig of Secret dns must hold that/],
  [
    RCODE.NOTAUTH,
    { tsigError: RCODE.BADTIME, serverTime: 400 },
    /differs from the controller's by 600 s \(BADTIME\).*NTP/,
  ],
  [RCODE.NOTAUTH, { tsigError: RCODE.BADTIME }, /differs from the controller's \(BADTIME\)/],
  [RCODE.NOTAUTH, { tsigError: RCODE.BADTRUNC }, /refused the TSIG with BADTRUNC/],
  [RCODE.NOTAUTH, {}, /not the primary server of the zone example\.com \(NOTAUTH\); name that in nameserver/],
  [RCODE.REFUSED, {}, /update-policy \{ grant certwheel name _acme-challenge\.www\.example\.com\. TXT; \};/],
  [RCODE.NOTZONE, {}, /is not in the zone example\.com \(NOTZONE\); correct zone/],
  [RCODE.NOTIMP, {}, /takes no updates/],
  [RCODE.SERVFAIL, {}, /SERVFAIL\); see its log/],
  [RCODE.FORMERR, {}, /FORMERR/],
  [7, {}, /was answered RCODE 7/],
] as const) {
  test(`RCODE ${rcode}, TSIG error ${'tsigError' in more ? more.tsigError : 0}: what to do`, () => {
    const refusal = answered(rcode, more);
    assert.is(refusal?.code, 'ChallengeFailed');
    assert.match(refusal?.message ?? '', message);
    assert.match(refusal?.message ?? '', /^ns1\.example\.com:53: /);
    assert.is(refusal?.unproven, 'isSigned' in more);
  });
}

test.run();
