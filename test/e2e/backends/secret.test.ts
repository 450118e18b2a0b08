import { test } from 'uvu';
import { secret } from '../../../src/backends/secret.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { makeCa } from '../support/openssl.ts';
import { conformance } from './conformance.ts';
import { NOTHING_ELSEWHERE } from './subject.ts';

conformance({
  type: 'secret',
  capabilities: secret.capabilities,
  exempt: NOTHING_ELSEWHERE,
  lives: ['1m', '24h', '2160h'],
  refusedLives: [],
  checks: [
    {
      step: 'there is no Secret',
      reason: 'CASecretNotFound',
      says: '/gone; make it with: kubectl create secret generic gone -n ',
      spoil: () => ({ name: 'gone' }),
    },
    {
      step: 'the key is that of another CA',
      reason: 'CAPairRefused',
      says: 'key tls.key: this is not the key of O=Test, CN=one in tls.crt',
      spoil: async (good, { world, namespace }) => {
        const [one, other] = [await makeCa('one', { organization: 'Test' }), await makeCa('other')];
        await putCaSecret(world, namespace, 'pair', { 'tls.crt': one.certificate, 'tls.key': other.key });
        return good;
      },
    },
  ],
  start: async () => ({
    prepare: async ({ world, namespace }) => {
      await putCaSecret(world, namespace, 'pair', pairData(await makeCa('Test')));
      return { name: 'pair' };
    },
    stop: async () => {},
  }),
});

test.run();
