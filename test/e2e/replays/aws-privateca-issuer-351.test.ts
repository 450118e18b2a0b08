/**
 * https://github.com/cert-manager/aws-privateca-issuer/issues/351 (also 50, 211 and 409): the CA is of another account, which
 * hasn't shared it, or not for the template. The words of AWS say that no resource-based policy allows it, and people look for
 * the fault in their own policy.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CertwheelError } from '../../../src/errors.ts';
import { stopAll } from '../../teardown.ts';
import { awsSpec, direct } from '../backends/aws-direct.ts';
import { ACCOUNT, startFakeAws } from '../backends/servers/aws.ts';

test.after(stopAll);

test('both accounts are named, and which of them has to do what', async () => {
  const aws = await startFakeAws();
  const backend = direct(awsSpec(aws), { current: aws.foreignKey('677467515554') });
  const error = (await backend
    .check(new AbortController().signal)
    .catch((thrown: unknown) => thrown)) as CertwheelError;
  assert.is(error.code, 'CredentialsRefused');
  assert.match(
    error.message,
    `they are of account 677467515554 and the CA is of account ${ACCOUNT}, which must share it`,
  );
  assert.match(error.message, 'with the permission for the template');
});

test.run();
