/** The Secret NAME-next, which keeps the private key of a request: damaged, foreign, or held by a finalizer. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { aCertificate, RUN } from '../../../test/unit/builders.ts';
import { requestDeps } from '../../../test/unit/next-store.ts';
import { bench } from '../../../test/unit/request-bench.ts';
import { SecretStore } from '../../../test/unit/secret-store.ts';
import { thrownBy } from '../../../test/unit/thrown-by.ts';
import { CERTIFICATE_UID_ANNOTATION } from '../../api/names.ts';
import { ApiError, type RetryableError } from '../../errors.ts';
import { encodePrivateKey, generateKey } from '../../pki/keys.ts';
import { issue } from '../act.ts';
import { RecentActs } from '../recent.ts';
import { viewNextKey } from './next-key.ts';
import { UnpublishedCertificates } from './unpublished.ts';

/** Issues with a cache that doesn't know the Secret that keeps the key, after a restart. */
function issueUnaware(one: ReturnType<typeof bench>) {
  const deps = {
    ...requestDeps(one.clock, one.keys),
    secrets: new SecretStore(),
    unpublished: new UnpublishedCertificates(),
    requestedBy: () => 'unverified',
    assertServed: async () => undefined,
    recent: new RecentActs(),
  };
  return issue(one.seen(aCertificate().build()).with({ next: undefined }), one.view, one.sign, deps, RUN);
}

test('a kept key that was swapped or deleted is not used', async () => {
  const foreign = encodePrivateKey(await generateKey({ algorithm: 'ECDSA', size: 256 }), 'PKCS8');
  for (const data of [
    { 'tls.key': '' },
    { 'tls.key': 'bm8=' },
    { 'tls.key': Buffer.from(foreign).toString('base64') },
  ]) {
    const one = bench();
    await one.look(one.wait);
    if (one.keys.object !== undefined) one.keys.object = { ...one.keys.object, data };
    one.restart();
    await one.look(one.wait);
    assert.is.not(one.asked[0]?.id, one.asked[1]?.id);
  }
});

test('a foreign Secret under that name is left alone', async () => {
  const one = bench();
  one.keys.object = { metadata: { namespace: 'team', name: 'client-next', uid: 'x', resourceVersion: '5' } };
  const seen = one.seen(aCertificate().build()).with({ next: undefined });
  assert.is(seen.next, undefined);
  const error = (await thrownBy(
    issue(
      seen,
      one.view,
      one.sign,
      {
        ...requestDeps(one.clock, one.keys),
        secrets: new SecretStore(),
        unpublished: new UnpublishedCertificates(),
        requestedBy: () => 'unverified',
        assertServed: async () => undefined,
        recent: new RecentActs(),
      },
      RUN,
    ),
  )) as RetryableError;
  assert.is(error.code, 'SecretNotOwned');
  assert.match(error.message, "Secret client-next while its authority answers, and that Secret isn't Certwheel's");
});

test('a Secret under that name is reported as what it is, and one mark alone does not make it a kept key', async () => {
  const key = (await root()).certificate.pem;
  const cases: [object, string, string?][] = [
    [{ labels: { 'certwheel.io/next-of': 'client' } }, 'keeps the key of ClientCertificate client'],
    [
      {
        labels: { 'certwheel.io/certificate-name': 'other' },
        annotations: { 'certwheel.io/certificate-uid': '1' },
      },
      'was written for ClientCertificate other',
    ],
    [{}, 'holds a CA certificate', key],
  ];
  for (const [marks, words, pem = ''] of cases) {
    const one = bench();
    const metadata = { namespace: 'team', name: 'client-next', uid: 'x', resourceVersion: '5', ...marks };
    one.keys.object = { metadata, data: { 'tls.crt': Buffer.from(pem).toString('base64') } };
    assert.is(viewNextKey(one.keys.object).certificateName, '');
    const error = (await thrownBy(issueUnaware(one))) as RetryableError;
    assert.is(error.code, 'SecretNotOwned');
    assert.match(error.message, `Secret client-next while its authority answers, and that Secret ${words}`);
    assert.not.match(error.message, /delete|rename/);
    assert.is(one.keys.object?.metadata?.resourceVersion, '5');
  }
});

test("a Secret that keeps the key and lost a mark is replaced, since its owner reference is Certwheel's too", async () => {
  const one = bench();
  await one.look(one.wait);
  const kept = one.keys.object;
  const { [CERTIFICATE_UID_ANNOTATION]: _, ...annotations } = kept?.metadata?.annotations ?? {};
  one.keys.object = { ...kept, metadata: { ...kept?.metadata, annotations } };
  const error = (await thrownBy(issueUnaware(one))) as ApiError;
  assert.is(error.status, 409, 'the next look begins anew');
  assert.is(one.keys.object, undefined);
  assert.ok('secret' in (await issueUnaware(one)));
});

test('a Secret that keeps the key, lost a mark and may not be deleted is named, with the command that deletes it', async () => {
  const one = bench();
  await one.look(one.wait);
  const kept = one.keys.object;
  const { [CERTIFICATE_UID_ANNOTATION]: _, ...annotations } = kept?.metadata?.annotations ?? {};
  one.keys.object = { ...kept, metadata: { ...kept?.metadata, namespace: 'team', annotations } };
  one.keys.delete = () => Promise.reject(new ApiError(403, 'Forbidden', 'a policy denies it'));
  const error = (await thrownBy(issueUnaware(one))) as RetryableError;
  assert.is(error.code, 'SecretRefused');
  assert.match(error.message, 'has lost the annotation certwheel.io/certificate-uid');
  assert.match(error.message, 'kubectl delete secret -n team client-next');
});

test('a Secret that keeps the key and is held by a finalizer is named, with the finalizer', async () => {
  const one = bench();
  await one.look(one.wait);
  const kept = one.keys.object;
  const metadata = { ...kept?.metadata, deletionTimestamp: '2026-06-01T12:00:00Z', finalizers: ['example.com/hold'] };
  one.keys.object = { ...kept, metadata };
  const error = (await thrownBy(issueUnaware(one))) as RetryableError;
  assert.is(error.code, 'SecretRefused');
  assert.match(error.message, /client-next, .* is being deleted and is held by the finalizers example\.com\/hold/);
});

test('the Secret of the certificate itself can not be the one that keeps the key', async () => {
  const one = bench();
  const error = (await thrownBy(
    one.look(one.sign, aCertificate({ secretName: 'client-next' }).build()),
  )) as RetryableError;
  assert.is(error.code, 'InvalidSpec');
});

test.run();
