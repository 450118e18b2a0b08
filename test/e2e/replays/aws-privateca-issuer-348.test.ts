/**
 * https://github.com/cert-manager/aws-privateca-issuer/issues/348: keys of an assumed role were copied with jq into a Secret,
 * and the session token was left out. AWS answers that the security token is invalid, whatever of that it was.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CertwheelError } from '../../../src/errors.ts';
import { stopAll } from '../../teardown.ts';
import { awsSpec, direct } from '../backends/aws-direct.ts';
import { startFakeAws } from '../backends/servers/aws.ts';
import type { Keys } from '../backends/servers/aws-sts.ts';

test.after(stopAll);

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const TEMPORARY = 'ASIAIOSFODNN7EXAMPLE';

for (const [what, keys, says] of [
  ['without the session token', { accessKeyId: TEMPORARY, secretAccessKey: SECRET }, 'with their session-token alone'],
  ['as jq prints them', { accessKeyId: `"${TEMPORARY}"`, secretAccessKey: `"${SECRET}"` }, 'is in quotation marks'],
  ['one for the other', { accessKeyId: SECRET, secretAccessKey: 'AKIAIOSFODNN7EXAMPLE' }, 'exchanged?'],
] as const satisfies readonly (readonly [string, Keys, string])[])
  test(`keys ${what} are refused before AWS is asked, with what must be there`, async () => {
    const aws = await startFakeAws();
    const backend = direct(awsSpec(aws), { current: keys });
    const error = (await backend
      .check(new AbortController().signal)
      .catch((thrown: unknown) => thrown)) as CertwheelError;
    assert.is(error.code, 'CredentialsRefused');
    assert.match(error.message, says);
    assert.match(error.message, 'kubectl create secret generic -n shop aws-key --from-file=access-key-id=FILE');
    assert.not.match(error.message, SECRET.slice(0, 12));
    assert.is(aws.calls.length, 0);
  });

test.run();
