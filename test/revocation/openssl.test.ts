/** The commands of OpenSSL with which an engineer asks whether a certificate is revoked. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authority, type Credentials } from '../interop/support/authority.ts';
import { temporaryFolder } from '../interop/support/temporary.ts';
import { openssl } from '../pki/openssl.ts';
import { stopAll } from '../teardown.ts';
import { listsOf } from './support/lists.ts';
import { GOOD, ocspServer, REVOKED } from './support/ocsp-server.ts';

test.after(stopAll);

const ca = await authority(2);
const [signing] = ca.holders;
if (signing === undefined) throw new Error('no CA');
const issuer = signing.certificate;

test('openssl verify names a revoked certificate, and asks for the list of the upper CA with -crl_check_all alone', async () => {
  const [revoked, valid] = [await ca.issue(), await ca.issue()];
  const lists = await listsOf(ca.holders, { revoked: [revoked.serial] });
  const verdict = (check: string, { certificate }: Credentials, crls: readonly string[]) =>
    openssl(['verify', check, '-CAfile', '{ca}', '-untrusted', '{issuer}', '-CRLfile', '{crls}', '{leaf}'], {
      ca: ca.ca,
      issuer: issuer.pem,
      crls: crls.join(''),
      leaf: certificate,
    });
  assert.match(verdict('-crl_check_all', revoked, lists).text, 'error 23 at 0 depth lookup: certificate revoked');
  assert.ok(verdict('-crl_check_all', valid, lists).ok);
  const withoutRoot = lists.slice(0, 1);
  assert.match(
    verdict('-crl_check_all', valid, withoutRoot).text,
    'error 3 at 1 depth lookup: unable to get certificate CRL',
  );
  assert.ok(verdict('-crl_check', valid, withoutRoot).ok);
  assert.match(verdict('-crl_check', revoked, withoutRoot).text, 'certificate revoked');
});

test('openssl ocsp, with the root alone, accepts each answer of the responder', async () => {
  const ocsp = await ocspServer([signing]);
  const [good, revoked, foreign] = [await ca.issue(), await ca.issue(), await ca.issue()];
  ocsp.statuses.set(good.serial, GOOD);
  ocsp.statuses.set(revoked.serial, REVOKED);
  for (const [client, status] of [
    [good, 'good'],
    [revoked, 'revoked'],
    [foreign, 'unknown'],
  ] as const) {
    const folder = temporaryFolder();
    const file = (name: string, content: string) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const leaf = file('leaf.pem', client.certificate);
    const trust = ['-CAfile', file('ca.pem', ca.ca), '-issuer', file('issuer.pem', issuer.pem)];
    const args = ['ocsp', ...trust, '-cert', leaf, '-url', ocsp.url];
    const { stdout, stderr } = await promisify(execFile)('openssl', args);
    assert.match(stderr, 'Response verify OK');
    assert.match(stdout, `leaf.pem: ${status}`);
  }
});

test.run();
