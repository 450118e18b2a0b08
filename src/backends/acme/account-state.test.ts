import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { privateKeyOfSlowPublicHalf } from '../../../test/pki/slow-private-keys.ts';
import { cpuMs } from '../../../test/unit/cpu.ts';
import { AuthorityError } from '../../errors.ts';
import { readAccountState } from './account-state.ts';

for (const kind of ['DH', 'DSA'] as const)
  test(`a Secret with a ${kind} key, which a user who may create Secrets puts there, is refused without its public half`, () => {
    const data = { 'account.key': Buffer.from(privateKeyOfSlowPublicHalf(kind)) };
    const usedMs = cpuMs(() => {
      for (let times = 0; times < 5; times++)
        assert.throws(
          () => readAccountState({ data, place: 'shop/ca-ca-acme-account', uid: '1', resourceVersion: '1' }),
          (error: unknown) => error instanceof AuthorityError && error.code === 'CredentialsRefused',
        );
    });
    assert.ok(usedMs < 1_000, `${usedMs} ms`);
  });

test.run();
