import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ApiError } from '../../errors.ts';
import { alteredError, takeBack } from './take-back.ts';

const done = async () => {};
const forbidden = () => Promise.reject(new ApiError(403, 'Forbidden', 'a policy denies it'));
const lost = () => Promise.reject(new ApiError(409, 'Conflict', 'it is another one by now'));

test('a Secret that may not be deleted is emptied, and one that may not be emptied either is reported', async () => {
  assert.is(await takeBack(done, forbidden), 'removed');
  assert.is(await takeBack(forbidden, done), 'emptied');
  assert.is(await takeBack(forbidden, forbidden), 'left');
});

test('any other error leaves the Secret alone', async () => {
  let emptied = 0;
  const error = await takeBack(lost, async () => ++emptied).catch((thrown: unknown) => thrown);
  assert.is((error as ApiError).status, 409);
  assert.is(emptied, 0);
});

test('the error names the Secret, the field and the command that deletes it, where it is still there', () => {
  const secret = { namespace: 'shop', name: 'alice-tls' };
  const { code, message } = alteredError(secret, 'data.ca.crt', 'left');
  assert.is(code, 'SecretAltered');
  assert.match(message, /^Secret alice-tls is stored otherwise than Certwheel sent it \(data\.ca\.crt\)/);
  assert.match(message, 'which holds a private key; delete it: kubectl delete secret -n shop alice-tls');
  assert.not.match(alteredError(secret, 'data.ca.crt').message, 'kubectl');
});

test.run();
