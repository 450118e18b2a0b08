import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop } from '../../teardown.ts';
import { lazily } from '../support/lazily.ts';
import { direct, failure, issue, newToken, started } from './pkcs11-direct.ts';
import { startSoftHsm } from './servers/pkcs11.ts';

const run = promisify(execFile);
const { signal } = new AbortController();

const shared = lazily(() => startSoftHsm(''));
test.after(shared.stop);

const ownToken = async (name: string) => newToken(await shared.get(), name);

/** A folder for `pinFile`. */
function pinFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-pins-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a wrong PIN is tried once, whoever asks, and again when its Secret is written anew', async () => {
  const { hsm, ...given } = await ownToken('wrong-pin');
  const here = direct(hsm, { ...given, pin: '9999' });
  const before = hsm.logins();
  const asked = await Promise.all(Array.from({ length: 10 }, () => failure(here.backend.trust(signal))));
  for (const { code, message } of asked) {
    assert.is(code, 'CredentialsRefused');
    assert.match(message, 'refused the PIN in key pin of Secret ns/hsm-pin. It is not tried again until');
    assert.not.match(message, '9999');
  }
  assert.is(hsm.logins(), before + 1);
  // As after a change of the authority, which makes another backend.
  const again = direct(hsm, { ...given, pin: '9999' });
  await failure(again.backend.trust(signal));
  assert.is(hsm.logins(), before + 1);
  again.objects.set('hsm-pin', { pin: given.pin });
  again.signing = (await again.backend.trust(signal)).offered;
  await issue(again);
  assert.is(hsm.logins(), before + 2);
});

test('a wrong PIN is tried once for a token, however many authorities ask at once and however their URIs spell it', async () => {
  const { hsm, ...given } = await ownToken('spelt');
  const slots = await hsm.sh('pkcs11-tool --module "$MODULE" --list-token-slots');
  const [, serial = ''] = /token label\s*: spelt\n(?:.*\n)*?.*serial num\s*: (\S+)/.exec(slots) ?? [];
  const uris = ['token=spelt', `token=spelt;serial=${serial}`, `serial=${serial}`, 'token=%73pelt;model=SoftHSM%20v2'];
  const before = hsm.logins();
  const authorities = uris.map((uri) => direct(hsm, { ...given, uri: `pkcs11:${uri};object=ca`, pin: '9999' }));
  for (let round = 0; round < 2; round++)
    for (const { code, message } of await Promise.all(authorities.map((each) => failure(each.backend.trust(signal)))))
      assert.is(code, 'CredentialsRefused', message);
  assert.is(hsm.logins(), before + 1);
  for (const { objects, backend } of authorities) {
    objects.set('hsm-pin', { pin: given.pin });
    assert.ok((await backend.trust(signal)).offered);
  }
});

test('a PIN that changes in the token costs one wrong try, and the new one is picked up', async () => {
  const { hsm, ...given } = await ownToken('new-pin');
  const here = await started(hsm, given);
  await issue(here);
  await hsm.setPin('new-pin', '5678');
  // Its session goes on, until the token ends it.
  hsm.takeAway();
  const gone = await failure(here.backend.check(signal));
  hsm.putBack();
  assert.is(gone.code, 'AuthorityUnavailable');
  const before = hsm.logins();
  for (let n = 0; n < 5; n++) assert.is((await failure(here.backend.check(signal))).code, 'CredentialsRefused');
  assert.is(hsm.logins(), before + 1);
  here.objects.set('hsm-pin', { pin: '5678' });
  await here.backend.check(signal);
  await issue(here);
});

test('a PIN file is read below its folder alone, and only for the cluster kind', async () => {
  const { hsm, ...given } = await ownToken('from-file');
  const folder = pinFolder();
  // As the kubelet mounts a Secret.
  mkdirSync(join(folder, '..data'));
  writeFileSync(join(folder, '..data/pin'), '1234\n');
  symlinkSync('..data/pin', join(folder, 'pin'));
  symlinkSync('/etc/hostname', join(folder, 'outside'));
  const by = (pinFile: string, more = {}) =>
    direct(hsm, { ...given, spec: { pinFile, pinSecretRef: undefined } as never, hsm: { pinFolder: folder }, ...more });
  assert.ok((await by('pin').backend.trust(signal)).offered);
  assert.match((await failure(by('outside').backend.trust(signal))).message, 'leads out of --pkcs11-pin-folder');
  assert.match((await failure(by('absent').backend.trust(signal))).message, "can't be read: ENOENT");
  assert.is((await failure(by('pin', { hsm: {} }).backend.trust(signal))).code, 'BackendDisabled');
  const hsmRules = { tenantTokens: [{ namespace: 'ns', token: 'from-file' }], pinFolder: folder };
  const byTenant = by('pin', { clusterWide: false, hsm: hsmRules });
  assert.is((await failure(byTenant.backend.trust(signal))).code, 'BackendForbidden');
});

/** Mounts a FUSE file system at $1, whose server is descriptor 3 of the program that $2 and $3 name, and never answers. */
const MOUNT_AND_READ = `exec 3<>/dev/fuse
mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hanging "$1"
exec "$2" "$3" "$1"`;
const hangs = async () => {
  const folder = pinFolder();
  const program = join(import.meta.dirname, 'hanging-pin-folder.ts');
  const bash = ['bash', '-euc', MOUNT_AND_READ, '-', folder, process.execPath, program];
  const { stdout } = await run('unshare', ['--map-root-user', '--mount', ...bash], {
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const { atOnce, later, tookMs, tookMoreMs, over } = JSON.parse(stdout);
  const message = `no PIN is read from --pkcs11-pin-folder, since its file system does not answer: the file ${folder}/one was not read within 5 s; check`;
  for (const each of [...atOnce, later]) assert.ok(each.startsWith(message), each);
  assert.ok(tookMs < 7_000, `${tookMs} ms for three at once`);
  assert.ok(tookMoreMs < 500, `${tookMoreMs} ms for one more`);
  assert.match(over, "one, which is to hold the PIN, can't be read: ENOTCONN");
};
const title = 'a file system that hangs is read by one request, which fails in time; the others fail at once';
if (await canMount()) test(title, hangs);
else test.skip(`${title} (needs /dev/fuse and user namespaces)`, hangs);

async function canMount(): Promise<boolean> {
  if (!existsSync('/dev/fuse')) return false;
  return run('unshare', ['--map-root-user', '--mount', 'bash', '-c', 'exec 3<>/dev/fuse']).then(
    () => true,
    () => false,
  );
}

test.run();
