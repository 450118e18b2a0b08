import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openssl } from '../../test/pki/openssl.ts';
import { chainOf, keys, type Place, type Shapes } from '../../test/pki/shaped.ts';
import { type CertificateView, parseCertificates } from './certificate.ts';
import { keyIdOf } from './extensions.ts';
import { encodePrivateKey } from './keys.ts';
import { encodeName } from './name.ts';
import { strictFlaws, strictMessages } from './x509-strict.ts';

function flawsOf(shapes: Shapes): string[] {
  return strictFlaws(chainOf(shapes)).map(({ certificate, flaw }) => `${certificate} ${flaw}`);
}

test('a sound path has no flaws, and neither has a root alone', () => {
  assert.equal(flawsOf({}), []);
  assert.equal(strictFlaws(chainOf({}).slice(2)), []);
});

test('each flaw is named with the certificate that has it', () => {
  assert.equal(flawsOf({ root: { keyUsage: false } }), ['CN=root NoKeyUsage']);
  assert.equal(flawsOf({ int: { critical: false } }), ['CN=int BasicConstraintsNotCritical']);
  assert.equal(flawsOf({ root: { subjectKeyId: false } }), ['CN=root NoSubjectKeyId']);
  assert.equal(flawsOf({ int: { authorityKeyId: 'none' } }), ['CN=int NoAuthorityKeyId']);
  assert.equal(flawsOf({ leaf: { subjectKeyId: false } }), []);
  assert.equal(flawsOf({ root: { authorityKeyId: 'none' } }), []);
  assert.equal(flawsOf({ leaf: { subject: false, names: 'dns' } }), [' AlternativeNameNotCritical']);
});

test('a leaf with the rights of a CA that it is not is flawed', () => {
  const [leaf, ...issuers] = chainOf({});
  assert.ok(leaf);
  const flaws = (view: Partial<CertificateView>) => strictFlaws([{ ...leaf, ...view }, ...issuers]);
  assert.is(flaws({ certSign: true })[0]?.flaw, 'CertSignWithoutCa');
  assert.is(flaws({ pathLength: 0 })[0]?.flaw, 'PathLengthWithoutCa');
});

test('a certificate that OpenSSL passes over, the root under another spelling of its name, has no flaws', () => {
  const [, int, root] = chainOf({});
  const [, , respelled] = chainOf({ root: { keyUsage: false, authorityKeyId: 'none' } });
  assert.ok(int && root && respelled);
  assert.is(strictFlaws([int, respelled])[0]?.flaw, 'NoKeyUsage');
  const shouting = { ...root, subjectDer: encodeName({ commonName: 'ROOT' }) };
  assert.equal(strictFlaws([int, respelled, shouting]), []);
  assert.equal(strictFlaws([respelled, shouting]), []);
});

/** Runs the command of a flaw's message in a folder that holds the files it names. */
function mended(
  place: Place,
  message: string,
  [int, root]: readonly [CertificateView, CertificateView],
): CertificateView {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-strict-'));
  try {
    writeFileSync(join(folder, 'ca.crt'), int.pem);
    writeFileSync(join(folder, 'root.crt'), root.pem);
    for (const [file, key] of [
      ['ca.key', keys.int],
      ['root.key', keys.root],
    ] as const)
      writeFileSync(join(folder, file), encodePrivateKey(key, 'PKCS8'), { mode: 0o600 });
    execFileSync('sh', ['-c', message.slice(message.indexOf('printf '))], { cwd: folder, stdio: 'ignore' });
    const [made] = parseCertificates(
      readFileSync(join(folder, place === 'root' ? 'new-root.crt' : 'new-ca.crt'), 'utf8'),
    );
    assert.ok(made);
    return made;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the command in the message mends a CA and keeps its key, subject, key id and other extensions', () => {
  const flawed = { keyUsage: false, critical: false, pathLength: true, names: 'dns' } as const;
  for (const shapes of [
    { root: flawed },
    { root: { ...flawed, subjectKeyId: false } },
    { int: { ...flawed, authorityKeyId: 'none' } },
    { int: { ...flawed, subjectKeyId: false } },
  ] as const satisfies Shapes[]) {
    const place: Place = 'root' in shapes ? 'root' : 'int';
    const chain = chainOf(shapes);
    const [, int, root] = chain;
    assert.ok(int && root);
    const before = place === 'root' ? root : int;
    const [message, ...more] = strictMessages([int, root]);
    assert.ok(message);
    assert.equal(more, [], 'one message for each certificate');
    const after = mended(place, message, [int, root]);
    assert.ok(after.publicKeyDer.equals(before.publicKeyDer) && after.subjectDer.equals(before.subjectDer));
    assert.is(after.subjectKeyId, before.subjectKeyId ?? keyIdOf(before.publicKeyDer).toString('hex'));
    assert.equal([after.pathLength, after.names], [3, before.names]);
    const top = place === 'root' ? [after] : [after, root];
    assert.equal(strictFlaws(top), []);
    const [issuer] = top.slice(-1);
    assert.ok(
      openssl(['verify', '-x509_strict', '-no_check_time', '-CAfile', '{ca}', '{it}'], {
        ca: issuer?.pem ?? '',
        it: after.pem,
      }).ok,
    );
  }
});

test('the message names the verifiers that refuse', () => {
  const [message] = strictMessages(chainOf({ root: { keyUsage: false } }).slice(1));
  assert.match(message ?? '', /^CN=root has no key usage: Python 3\.13 and later and "openssl verify -x509_strict"/);
});

test.run();
