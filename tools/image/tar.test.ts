import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { complete, file, folder } from './entries.ts';
import { tar } from './tar.ts';

const list = (archive: Buffer) =>
  execFileSync('tar', ['-tv', '--full-time', '--numeric-owner', '-f', '-'], {
    input: archive,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TZ: 'UTC' },
  })
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' '));

test('tar reads what was written: modes, owners, sizes, times, folders', () => {
  const entries = complete([file('/b/run', 'x'.repeat(513), 0o755), folder('/tmp', 0o1777), file('/a', '')]);
  assert.equal(list(tar(entries, 86_400)), [
    '-rw-r--r-- 0/0 0 1970-01-02 00:00:00 a',
    'drwxr-xr-x 0/0 0 1970-01-02 00:00:00 b/',
    '-rwxr-xr-x 0/0 513 1970-01-02 00:00:00 b/run',
    'drwxrwxrwt 0/0 0 1970-01-02 00:00:00 tmp/',
  ]);
});

test('tar finds the content of a file', () => {
  const archive = tar([file('/first', 'one'), file('/second', 'two')], 0);
  assert.is(execFileSync('tar', ['-xO', '-f', '-', 'second'], { input: archive, encoding: 'utf8' }), 'two');
  assert.is(archive.length % 512, 0);
});

test('order makes no difference', () => {
  const entries = [file('/b/c', '1'), file('/a', '2'), folder('/b')];
  assert.ok(tar(complete(entries), 0).equals(tar(complete(entries.toReversed()), 0)));
});

test('a name that does not fit is refused, and so is a path that is there twice or below a file', () => {
  assert.throws(() => tar([file(`/${'n'.repeat(101)}`, '')], 0), /longer than the 100 bytes/);
  assert.throws(() => complete([file('/a', ''), file('/a', '')]), /\/a is twice in the image/);
  assert.throws(
    () => complete([file('/a', ''), file('/a/b', '')]),
    /\/a is a file in the image, and \/a\/b is below it/,
  );
});

test.run();
