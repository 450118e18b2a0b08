import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIssuer, issueServer, type Pair } from '../../test/cluster/certificates.ts';
import { eventually } from '../../test/e2e/support/eventually.ts';
import { onStop, stopAll } from '../../test/teardown.ts';
import { followTlsFiles, type ServerTls } from './tls.ts';

test.after(stopAll);

const issuer = createIssuer('CA of servers');
const [first, second] = [issueServer(issuer, ['a.example.com']), issueServer(issuer, ['b.example.com'])];
const certificateOf = (tls: ServerTls) => String(tls.options().cert);

/** A volume as the kubelet mounts a Secret: the names are links through `..data`, which it swaps for another folder. */
function mounted(pair: Pair) {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-tls-'));
  onStop(() => rmSync(folder, { recursive: true }));
  let version = 0;
  const put = ({ certificatePem, keyPem }: Pair) => {
    version += 1;
    const data = mkdtempSync(join(folder, `..${version}-`));
    writeFileSync(join(data, 'tls.crt'), certificatePem);
    writeFileSync(join(data, 'tls.key'), keyPem);
    symlinkSync(data, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
  };
  put(pair);
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  symlinkSync('..data/tls.crt', certFile);
  symlinkSync('..data/tls.key', keyFile);
  return { files: { certFile, keyFile }, put };
}

/** Follows the files with a clock that doesn't wait. */
async function following(files: { readonly certFile: string; readonly keyFile: string }) {
  const stopping = new AbortController();
  onStop(() => stopping.abort());
  const logged: string[] = [];
  const write = (message: string, fields = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: write, info: write, warn: write, error: write };
  let rounds = 0;
  const sleep = async () => {
    rounds += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    stopping.signal.throwIfAborted();
  };
  const tls = await followTlsFiles(files, { clock: { sleep }, log, signal: stopping.signal });
  /** What was written before is read in the second round from now at the latest. */
  const untilRead = async () => {
    const enough = rounds + 2;
    await eventually('the files are read', () => rounds >= enough);
  };
  return { tls, logged, untilRead };
}

test('a changed pair replaces the first, and listeners are called once', async () => {
  const { files, put } = mounted(first);
  const { tls, logged, untilRead } = await following(files);
  const heard: string[] = [];
  tls.onChange(({ cert }) => heard.push(String(cert)));
  assert.is(certificateOf(tls), first.certificatePem);
  await untilRead();
  assert.equal(heard, []);
  put(second);
  await untilRead();
  assert.equal(heard, [second.certificatePem]);
  assert.is(certificateOf(tls), second.certificatePem);
  // A round between the two reads finds a pair that doesn't match, and the next one finds it whole.
  assert.is(logged.filter((line) => /was replaced/.test(line)).length, 1);
});

test('TLS 1.2 is the least, whatever NODE_OPTIONS allow', async () => {
  const { tls } = await following(mounted(first).files);
  assert.is(tls.options().minVersion, 'TLSv1.2');
});

const BROKEN: Record<string, [pair: Pair, says: RegExp]> = {
  'a certificate with the key of another': [{ ...second, keyPem: first.keyPem }, /mismatch/],
  'a certificate that is empty': [{ ...second, certificatePem: '' }, /no start line/i],
  'a certificate that was cut off': [{ ...second, certificatePem: second.certificatePem.slice(0, 200) }, /end/],
  'no key': [{ ...second, keyPem: 'nothing\n' }, /no start line|unsupported/i],
};

for (const [sentence, [pair, says]] of Object.entries(BROKEN)) {
  test(`${sentence} is logged once, leaves the old pair in use, and can be replaced`, async () => {
    const { files, put } = mounted(first);
    const { tls, logged, untilRead } = await following(files);
    put(pair);
    await untilRead();
    await untilRead();
    assert.is(certificateOf(tls), first.certificatePem);
    assert.is(logged.length, 1, logged.join('\n'));
    assert.match(logged[0] ?? '', /was not replaced/);
    assert.match(logged[0] ?? '', files.certFile);
    assert.match(logged[0] ?? '', says);
    assert.not.match(logged[0] ?? '', /PRIVATE KEY/);
    put(second);
    await untilRead();
    assert.is(certificateOf(tls), second.certificatePem);
  });

  test(`${sentence} is refused at the start, in one line`, async () => {
    const { files } = mounted(pair);
    const { message } = (await following(files).catch((error) => error)) as Error;
    assert.match(message, says);
    assert.not.match(message, '\n');
  });
}

test('a file that is gone leaves the old pair in use, and is named in the log', async () => {
  const { files } = mounted(first);
  const { tls, logged, untilRead } = await following(files);
  rmSync(files.keyFile);
  await untilRead();
  assert.is(certificateOf(tls), first.certificatePem);
  assert.match(logged.join('\n'), new RegExp(`${files.keyFile} can't be read`));
});

test('control: the pairs of these tests fit together, and a mixed one does not', () => {
  for (const { certificatePem: cert, keyPem: key } of [first, second]) createSecureContext({ cert, key });
  assert.throws(() => createSecureContext({ cert: second.certificatePem, key: first.keyPem }));
});

test.run();
