import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseLdd } from './debian.ts';
import { packageFolder } from './npm.ts';

test('ldd names the libraries and the loader, but not the one of the kernel', () => {
  const printed = [
    '\tlinux-vdso.so.1 (0x00007ff03b5df000)',
    '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007ff03b4e9000)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007ff03b5e1000)',
    '',
  ].join('\n');
  assert.equal(parseLdd(printed), ['/lib/x86_64-linux-gnu/libm.so.6', '/lib64/ld-linux-x86-64.so.2']);
});

test('a library that is missing stops the build', () => {
  assert.throws(() => parseLdd('\tlibatomic.so.1 => not found\n'), /libatomic\.so\.1, .* is not on this machine/);
});

for (const [path, folder] of [
  ['node_modules/ajv/lib/ajv.ts', 'node_modules/ajv'],
  ['node_modules/@peculiar/x509/build/index.js', 'node_modules/@peculiar/x509'],
  ['node_modules/a/node_modules/@b/c/d.js', 'node_modules/a/node_modules/@b/c'],
  ['src/main.ts', undefined],
  ['builtin:node:http', undefined],
] as const) {
  test(`${path} belongs to ${folder ?? 'no package'}`, () => assert.is(packageFolder(path), folder));
}

test.run();
