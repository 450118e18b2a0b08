/** When a certificate for which nothing is to be done is reconciled again. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSigning, DAY, HOUR, NOW } from '../../../test/unit/builders.ts';
import { parseCertificateApproval } from '../../api/certificate-approval.ts';
import type { Observed } from '../observed.ts';
import { decide } from './decide.ts';

const issued = anObserved().withSecret();

const approval = parseCertificateApproval({
  metadata: { namespace: 'team', name: 'ok', uid: 'a1', annotations: { 'certwheel.io/approved-by': 'alice' } },
  spec: {
    clientCertificateRef: { name: 'client', uid: '1' },
    authorityRef: { name: 'ca' },
    request: { commonName: 'client' },
    decision: 'Approved',
    validUntil: after(HOUR).toISOString(),
  },
});
if (approval === undefined) throw new Error('it can not be read');

const rechecks: Record<string, [seen: Observed, recheckAt: Date | undefined, now?: Date]> = {
  'a certificate that ends with its CA is reconciled at its end': [
    issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY) }) }).build(),
    after(DAY),
  ],
  'a certificate that ends with its CA is not reconciled again after its end': [
    issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY) }) }).build(),
    undefined,
    after(DAY),
  ],
  'a renew-at in the future is reconciled at that moment': [
    anObserved(aCertificate().renewAt(after(HOUR)))
      .withSecret()
      .build(),
    after(HOUR),
  ],
  'a certificate that needs an approval is reconciled when the approval ends': [
    issued.permitted({ is: 'allowed', rule: undefined, approval }).build(),
    after(HOUR),
  ],
  'a suspended certificate is reconciled at its end': [
    anObserved(aCertificate().suspended()).withSecret().build(),
    after(DAY),
  ],
  'a suspended certificate that has ended is not reconciled again': [
    anObserved(aCertificate().suspended()).withSecret().build(),
    undefined,
    after(2 * DAY),
  ],
  'a suspended resource without a Secret is not reconciled again': [
    anObserved(aCertificate().suspended()).build(),
    undefined,
  ],
};

for (const [sentence, [seen, recheckAt, now = NOW]] of Object.entries(rechecks)) {
  test(sentence, () => assert.equal(decide(seen, now), { do: 'settle', recheckAt }));
}

test.run();
