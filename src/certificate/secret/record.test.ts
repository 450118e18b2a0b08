import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root, signIntermediate } from '../../../test/pki/make.ts';
import { ca, client, object } from '../../../test/unit/client-secret.ts';
import type { RawObject } from '../../api/parse.ts';
import { encodePrivateKey, generateKey } from '../../pki/keys.ts';
import { authorityOf, isRecord, isView, NO_RECORD, recordOfView, recordSecret } from './record.ts';
import { viewSecret } from './view.ts';

function altered(change: (metadata: NonNullable<RawObject['metadata']>) => RawObject['metadata'], data = object.data) {
  const metadata = change(object.metadata ?? {});
  return { ...object, ...(metadata && { metadata }), ...(data && { data }) };
}

test('a record says what a CA rotation asks of a Secret, and the same whether it comes from the Secret or from its view', () => {
  const record = recordSecret(object);
  assert.ok(isRecord(record) && !isView(record));
  assert.is(record.issuerFingerprint, ca.certificate.fingerprintSHA256);
  assert.equal(record.anchorFingerprints, [ca.certificate.fingerprintSHA256]);
  assert.equal(record.notAfter, client.certificate.notAfter);
  const view = viewSecret(object);
  assert.equal(recordOfView(view), record);
  assert.is(authorityOf(record), `CertificateAuthority/${record.namespace}/ca`);
  assert.is(authorityOf(view), authorityOf(record));
  assert.ok(isView(view) && !isRecord(view));
});

test('a Secret without a mark, or without a certificate that leads to its own ca.crt, has no record', async () => {
  const stranger = await root({ commonName: 'stranger' });
  const without = (name: string) =>
    altered((metadata) => {
      const { [name]: _, ...annotations } = metadata.annotations ?? {};
      return { ...metadata, annotations };
    });
  for (const each of [
    altered((metadata) => ({ ...metadata, labels: {} })),
    without('certwheel.io/certificate-uid'),
    without('certwheel.io/authority'),
    altered((metadata) => metadata, {}),
    altered((metadata) => metadata, {
      ...object.data,
      'ca.crt': Buffer.from(stranger.certificate.pem).toString('base64'),
    }),
    {},
  ]) {
    assert.is(recordSecret(each), NO_RECORD);
    assert.is(authorityOf(recordSecret(each)), undefined);
  }
});

test('a forged signature under the name of a CA makes no record', async () => {
  const forger = await root();
  const forged = await leaf({ ...ca, key: forger.key });
  const data = {
    'tls.crt': Buffer.from(forged.certificate.pem).toString('base64'),
    'tls.key': Buffer.from(encodePrivateKey(forged.key, 'PKCS8')).toString('base64'),
    'ca.crt': object.data?.['ca.crt'] ?? '',
  };
  assert.is(recordSecret(altered((metadata) => metadata, data)), NO_RECORD);
});

test('a Secret that is larger than any that Certwheel writes has no record', () => {
  const padded = (bytes: number) => {
    const bundle = `${Buffer.from(object.data?.['ca.crt'] ?? '', 'base64')}${'\n'.repeat(bytes)}`;
    return altered((metadata) => metadata, { ...object.data, 'ca.crt': Buffer.from(bundle).toString('base64') });
  };
  assert.ok(isRecord(recordSecret(padded(1_000))));
  assert.is(recordSecret(padded(20_000)), NO_RECORD);
});

/** A client below an intermediate, all with the keys that take longest to verify. */
async function dear(): Promise<RawObject> {
  const spec = { algorithm: 'ECDSA', size: 521 } as const;
  const top = await root({ keySpec: spec });
  const below = await signIntermediate(top, { key: await generateKey(spec) });
  const client = await leaf(below);
  const data = {
    'tls.crt': Buffer.from(client.certificate.pem + below.certificate.pem).toString('base64'),
    'tls.key': Buffer.from(encodePrivateKey(client.key, 'PKCS8')).toString('base64'),
    'ca.crt': Buffer.from(top.certificate.pem).toString('base64'),
  };
  return altered((metadata) => metadata, data);
}

test('a proof that takes long is made once, however often the Secret is touched', async () => {
  const secret = await dear();
  let asked = 0;
  const touched = (at: number) =>
    recordSecret({ ...secret, metadata: { ...secret.metadata, resourceVersion: String(at) } }, () => {
      asked += 1;
      return true;
    });
  for (let at = 0; at < 100; at += 1) assert.ok(isRecord(touched(at)));
  assert.is(asked, 1);
});

test('a proof that is not afforded is made when the Secret is read again', async () => {
  const secret = await dear();
  assert.is(
    recordSecret(secret, () => false),
    NO_RECORD,
  );
  assert.ok(isRecord(recordSecret(secret, () => true)));
  assert.ok(isRecord(recordSecret(object, () => false)), 'a usual one is not asked for');
});

test.run();
