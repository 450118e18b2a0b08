import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../../test/unit/fake-clock.ts';
import { issueRequest } from '../../../test/unit/issue-request.ts';
import { RetryableError } from '../../errors.ts';
import { parseCaArn } from './arn.ts';
import type { Outcome, PcaClient } from './client.ts';
import { refusalOf, troubleOf } from './exceptions.ts';
import { PrivateCa } from './private-ca.ts';

const ARN = 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1-2';
const now = new Date('2026-06-01T12:00:00Z');

/** A CA at which each request for a certificate that was made is answered with that exception. */
function caThatAnswers(name: string): PrivateCa {
  const exception = { name, message: 'no' };
  const answer = { status: 400, headers: {}, all: () => [], bytes: Buffer.alloc(0), retryAfterMs: undefined };
  const circumstances = { what: 'GetCertificate', keys: 'the keys', now };
  const outcome: Outcome = {
    exception,
    trouble: () => troubleOf(exception, answer, circumstances),
    refusal: () => refusalOf(exception, answer, circumstances),
  };
  const client: Pick<PcaClient, 'ask'> = { ask: async () => outcome };
  const spec = { arn: ARN, auth: { ambient: {} } };
  return new PrivateCa(spec, parseCaArn(ARN), client as PcaClient, { clock: new FakeClock(now) });
}

for (const name of ['InvalidArnException', 'ValidationException', 'InvalidArgsException', 'ResourceNotFoundException'])
  test(`a ticket that a writer of Secrets made up ends its request alone, where AWS says ${name}`, async () => {
    const request = { ...(await issueRequest()), ticket: `${ARN}/certificate/made-up` };
    const error = await caThatAnswers(name)
      .issue(request, new AbortController().signal)
      .catch((thrown: unknown) => thrown);
    assert.instance(error, RetryableError);
    assert.is((error as RetryableError).code, 'RequestFailed');
  });

test.run();
