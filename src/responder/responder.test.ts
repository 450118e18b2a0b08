/** The responder over HTTP, with openssl as its client and judge. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf } from '../../test/pki/make.ts';
import { openssl, opensslFile } from '../../test/pki/openssl.ts';
import { stopAll } from '../../test/teardown.ts';
import {
  ca,
  crlOf,
  hence,
  issued,
  ocspKeyOf,
  ocspVerdict,
  opensslSays,
  otherCa,
  PLACE,
  responderOf,
  revoked,
} from '../../test/unit/responder-world.ts';
import { toPem } from '../pki/pem.ts';

test.after(stopAll);

const [good, bad] = [await issued(), await issued()];
const unissued = await leaf(ca, { notBefore: hence(-1), notAfter: hence(100) });
const key = await ocspKeyOf();
const crl = await crlOf([revoked(bad)]);
const CRL_PATH = `/crl/${PLACE}.crl`;
const { url, ask } = await responderOf({ crl, key });
const OCSP = `${url}/ocsp/${PLACE}`;

test('openssl reads good, revoked and unknown, by POST, with a nonce and without', async () => {
  for (const more of [[], ['-no_nonce'], ['-sha256']]) {
    const is = async (holder: typeof good) => {
      const text = await ocspVerdict(OCSP, [holder], more);
      assert.match(text, 'Response verify OK');
      assert.not.match(text, /WARNING|nonce verify error/i);
      return /Cert Status: (\w+)/.exec(text)?.[1];
    };
    assert.is(await is(good), 'good');
    assert.is(await is(bad), 'revoked');
    assert.is(await is(unissued), 'unknown', 'a serial number that the CA has not given');
  }
  assert.match(await ocspVerdict(OCSP, [bad]), 'Reason: keyCompromise');
});

test('a revoked certificate without a mark is revoked all the same', async () => {
  const served = await responderOf({ crl: await crlOf([revoked(unissued)]), key });
  assert.match(await ocspVerdict(`${served.url}/ocsp/${PLACE}`, [unissued]), 'Cert Status: revoked');
});

test('several certificates are answered in one response, and the path may have a prefix', async () => {
  const text = await ocspVerdict(`${url}/pki/team/ocsp/${PLACE}`, [good, bad, unissued]);
  assert.equal(
    [...text.matchAll(/Cert Status: (\w+)/g)].map(([, status]) => status),
    ['good', 'revoked', 'unknown'],
  );
});

test('of another CA it says nothing', async () => {
  const foreign = await issued(otherCa);
  const text = await ocspVerdict(OCSP, [foreign], [], otherCa);
  assert.match(text, 'Responder Error: unauthorized');
});

test('it answers try later where the list is stale, missing, or of another CA than the key', async () => {
  const stale = await crlOf([revoked(bad)], hence(-30));
  const foreign = await crlOf([], hence(0), otherCa);
  for (const served of [{ crl: stale, key }, { key }, { crl }, { crl: foreign, key }]) {
    const responder = await responderOf(served);
    assert.match(await ocspVerdict(`${responder.url}/ocsp/${PLACE}`, [good]), 'Responder Error: trylater');
  }
  const responder = await responderOf({ crl, key: await ocspKeyOf(ca, hence(-30)) });
  assert.match(await ocspVerdict(`${responder.url}/ocsp/${PLACE}`, [good]), 'Responder Error: trylater');
  assert.match(await ocspVerdict(`${url}/ocsp/uid-2/v1`, [good]), 'Responder Error: unauthorized');
});

function requestFor(holder = good): Buffer {
  const files = { ca: ca.certificate.pem, leaf: holder.certificate.pem };
  return opensslFile(['ocsp', '-issuer', '{ca}', '-cert', '{leaf}', '-no_nonce', '-reqout', '{out}'], files);
}

test('by GET an answer may be cached, until its nextUpdate, and is asked for again by its tag', async () => {
  const encoded = encodeURIComponent(requestFor().toString('base64'));
  const first = await ask(`/ocsp/${PLACE}/${encoded}`);
  assert.is(first.status, 200);
  assert.is(first.headers['content-type'], 'application/ocsp-response');
  const [, seconds] =
    /^max-age=(\d+), public, no-transform, must-revalidate$/.exec(first.headers['cache-control'] ?? '') ?? [];
  assert.ok(Number(seconds) > 3_500 && Number(seconds) <= 3_600, seconds);
  const again = await ask(`/ocsp/${PLACE}/${encoded}`);
  assert.ok(again.body.equals(first.body), 'the same answer, not signed again');
  const known = await ask(`/ocsp/${PLACE}/${encoded}`, { headers: { 'if-none-match': `"x", ${first.headers.etag}` } });
  assert.equal([known.status, known.body.length], [304, 0]);
  const files = { ca: ca.certificate.pem, response: first.body };
  const { text } = openssl(
    ['ocsp', '-respin', '{response}', '-CAfile', '{ca}', '-issuer', '{ca}', '-resp_text'],
    files,
  );
  assert.match(text, 'Response verify OK');
  assert.match(text, 'Cert Status: good');
});

test('a CRL is served as it is, with what caches need, and openssl verifies by it', async () => {
  const found = await ask(CRL_PATH);
  assert.is(found.status, 200);
  assert.is(found.headers['content-type'], 'application/pkix-crl');
  assert.ok(found.body.equals(crl.crl.der));
  assert.is(found.headers['last-modified'], crl.crl.thisUpdate.toUTCString());
  const files = {
    ca: ca.certificate.pem,
    crl: toPem('X509 CRL', found.body),
    good: good.certificate.pem,
    bad: bad.certificate.pem,
  };
  const verify = ['verify', '-crl_check', '-x509_strict', '-CAfile', 'ca', '-CRLfile', 'crl'];
  assert.match(await opensslSays(files, [...verify, 'good']), 'good: OK');
  assert.match(await opensslSays(files, [...verify, 'bad']), 'certificate revoked');
});

test('HEAD and conditional requests for a CRL have no body', async () => {
  const head = await ask(CRL_PATH, { method: 'HEAD' });
  assert.equal([head.status, head.body.length, head.headers['content-length']], [200, 0, String(crl.crl.der.length)]);
  const { etag = '', 'last-modified': modified = '' } = head.headers;
  const statusWith = async (headers: Record<string, string>) => (await ask(CRL_PATH, { headers })).status;
  assert.is(await statusWith({ 'if-none-match': etag }), 304);
  assert.is(await statusWith({ 'if-none-match': `W/${etag}` }), 304);
  assert.is(await statusWith({ 'if-none-match': '"other"' }), 200);
  assert.is(await statusWith({ 'if-modified-since': modified }), 304);
  assert.is(await statusWith({ 'if-modified-since': hence(-5).toUTCString() }), 200);
  assert.is(await statusWith({ 'if-modified-since': modified, 'if-none-match': '"other"' }), 200);
});

test('other paths and methods are refused', async () => {
  const statusOf = async (path: string, method = 'GET') => (await ask(path, { method })).status;
  for (const path of ['/', '/crl/', '/crl/uid-1/v2.crl', '/crl/uid-1/v1', '/ocsp/uid-1', '/crl/../../etc/passwd'])
    assert.is(await statusOf(path), 404, path);
  assert.is(await statusOf(CRL_PATH, 'POST'), 405);
  assert.is(await statusOf(CRL_PATH, 'DELETE'), 405);
  assert.is(await statusOf('/healthz'), 200);
  assert.is(await statusOf('/readyz'), 200);
});

test.run();
