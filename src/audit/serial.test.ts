import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSerial } from './serial.ts';

const SERIAL = '0a1bff00c3';

for (const form of [
  SERIAL,
  'A1BFF00C3',
  '0A:1B:FF:00:C3',
  '00:0a:1b:ff:00:c3',
  '0a 1b ff 00 c3',
  '0x0a1bff00c3',
  'serial=0A1BFF00C3',
  'Serial Number: 0a:1b:ff:00:c3',
  `0d${BigInt(`0x${SERIAL}`)}`,
])
  test(`${form} is read`, () => {
    assert.ok(parseSerial(form).includes(SERIAL));
  });

for (const wrong of ['', '0x', '0dx', 'zz', '-5', '1'.repeat(101), '../etc/passwd'])
  test(`${JSON.stringify(wrong.slice(0, 20))} is no serial number`, () => {
    assert.equal(parseSerial(wrong), []);
  });

test('a number that is hex and decimal has both meanings', () => {
  assert.equal(parseSerial('0d12'), ['0d12', '0c']);
});

test('zero and digits alone are hex', () => {
  assert.equal(parseSerial('0'), ['00']);
  assert.equal(parseSerial('1234'), ['1234']);
  assert.equal(parseSerial('123'), ['0123']);
});

test('what OpenSSL prints of a number is read', () => {
  const printed = execFileSync('openssl', ['asn1parse', '-genstr', `INTEGER:0x${SERIAL}`], { encoding: 'utf8' });
  assert.equal(parseSerial(printed.split(':').at(-1) ?? ''), [SERIAL]);
});

test.run();
