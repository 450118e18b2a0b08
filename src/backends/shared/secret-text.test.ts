import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CertwheelError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { secretText } from './secret-text.ts';

type Content = Readonly<Record<string, string>>;

function read(content: Content | undefined, all?: readonly string[]): Promise<string> {
  const data = content && Object.fromEntries(Object.entries(content).map(([key, text]) => [key, Buffer.from(text)]));
  const deps = { secret: async () => data, objects: { namespace: 'shop' } } as unknown as BackendDeps;
  return secretText({ name: 'login', key: 'token' }, deps, all);
}

async function refusal(content: Content | undefined, all?: readonly string[]): Promise<string> {
  const error = await read(content, all).catch((thrown: unknown) => thrown);
  assert.instance(error, CertwheelError);
  return `${(error as CertwheelError).code}: ${(error as CertwheelError).message}`;
}

test('the line break that editors leave behind is no part of the value', async () => {
  assert.is(await read({ token: 's3cr3t\r\n' }), 's3cr3t');
});

test('a Secret that is missing has the command that makes it, with each of its keys', async () => {
  assert.is(
    await refusal(undefined, ['token', 'other']),
    'CredentialsNotFound: there is no Secret login in namespace shop; make it with: kubectl create secret generic -n shop login --from-file=token=FILE --from-file=other=FILE',
  );
});

test('a key that is missing or empty has the command that writes it', async () => {
  for (const content of [{ 'api-token': 's3cr3t' }, { token: ' \n' }])
    assert.is(
      await refusal(content),
      'CredentialsNotFound: Secret login in namespace shop has no key token, or it is empty; write it with: kubectl create secret generic -n shop login --from-file=token=FILE --dry-run=client -o yaml | kubectl apply -f -',
    );
});

for (const [what, token, says] of [
  ['a header in place of its token', 'Bearer s3cr3t', 'it holds more than one word'],
  ['a whole key block of BIND', 'key "a" { algorithm hmac-sha256; secret "s3cr3t"; };', 'it holds more than one word'],
  ['a value as jq prints it', '"s3cr3t"', 'the value is in quotation marks'],
  ["a value of a shell's quoting", "'s3cr3t'", 'the value is in quotation marks'],
] as const)
  test(`${what} is refused with what must be there, and is not repeated`, async () => {
    const message = await refusal({ token });
    assert.ok(message.startsWith(`CredentialsRefused: Secret login in namespace shop, key token: ${says}`), message);
    assert.not.match(message, 's3cr3t');
  });

test.run();
