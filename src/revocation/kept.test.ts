import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, NOW } from '../../test/unit/builders.ts';
import { revokedBy } from './kept.ts';
import { addTo } from './register.ts';

test('a CRL lists what its CA signed, and what no CA signed that verifiers trust', () => {
  const entry = (serialNumber: string, issuerFingerprint?: string) => ({
    serialNumber,
    issuerFingerprint,
    notAfter: after(DAY),
    reason: 'superseded' as const,
  });
  const all = [entry('01', 'first'), entry('02', 'second'), entry('03', 'retired'), entry('04')];
  const { register } = addTo(new Map(), all, NOW);
  const serials = (issuer: string) =>
    revokedBy(issuer, register, new Set(['first', 'second'])).map(({ serialNumber }) => serialNumber);
  assert.equal(serials('first'), ['01', '03', '04']);
  assert.equal(serials('second'), ['02', '03', '04']);
});

test.run();
