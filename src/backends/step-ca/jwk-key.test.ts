import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyRing } from './jwk-key.ts';

/** A JWE in form alone: that nothing opens it is found out only by deriving a key, for a second or so. */
const WRONG = [
  Buffer.from('{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":1000000,"p2s":"AAAAAAAAAAA"}'),
  Buffer.alloc(40, 1),
  Buffer.alloc(12, 2),
  Buffer.alloc(64, 3),
  Buffer.alloc(16, 4),
]
  .map((part) => part.toString('base64url'))
  .join('.');

const whyNot = (ring: KeyRing, password: Buffer, encrypted = WRONG) =>
  ring.open(encrypted, password, 'in Secret s').then(
    () => 'opened',
    (error: Error) => error.message,
  );

test('a password of blanks, however many, costs no time', async () => {
  const password = Buffer.concat([Buffer.alloc(2 ** 20, ' '), Buffer.from('x'), Buffer.alloc(2 ** 20, '\n')]);
  const before = process.threadCpuUsage();
  assert.match(await whyNot(new KeyRing(), password, 'no JWE'), 'it is no JWE');
  // With a pattern that goes back it would be an hour.
  assert.ok(process.threadCpuUsage(before).user < 10_000_000);
});

test('the wrong password is tried once', async () => {
  const ring = new KeyRing();
  const password = Buffer.from('wrong');
  const cpuMs = () => process.cpuUsage().user / 1_000;
  const beforeMs = cpuMs();
  const first = await whyNot(ring, password);
  assert.match(first, "the password doesn't open it");
  const onceMs = cpuMs() - beforeMs;
  for (let time = 0; time < 20; time++) assert.is(await whyNot(ring, password), first);
  assert.ok(cpuMs() - beforeMs < 3 * onceMs + 200, `${cpuMs() - beforeMs} ms in all, ${onceMs} ms for the first`);
  assert.match(await whyNot(ring, Buffer.from('another')), "the password doesn't open it");
});

test.run();
