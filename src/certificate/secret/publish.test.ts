import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, NOW, root } from '../../../test/pki/make.ts';
import { aCertificate, anObserved } from '../../../test/unit/builders.ts';
import { SILENT } from '../../../test/unit/own-authority.ts';
import { plainly } from '../../../test/unit/rendered.ts';
import { SecretStore } from '../../../test/unit/secret-store.ts';
import type { RawObject } from '../../api/parse.ts';
import { CertwheelError } from '../../errors.ts';
import { encodePrivateKey } from '../../pki/keys.ts';
import { RecentActs } from '../recent.ts';
import { purposeOf } from './protection.ts';
import { publish } from './publish.ts';
import { contentOf } from './read-content.ts';
import { renderPem } from './render.ts';

const ca = await root();
const client = await leaf(ca);
const data = {
  certificateChain: client.certificate.pem,
  privateKey: encodePrivateKey(client.key, 'PKCS8'),
  trustBundle: ca.certificate.pem,
};
const content = contentOf([client.certificate], 'PKCS8', renderPem(data)['ca.crt']);
const memory = {
  revision: 1,
  authority: 'CertificateAuthority/ca',
  authorityGeneration: 1,
  requestedDurationMs: 86_400_000,
  issuedAt: NOW,
  ledger: '',
};

/** Publishes where there was nothing a moment ago, and finds this Secret in its place. */
async function publishInto(object: RawObject) {
  const secrets = new SecretStore();
  secrets.object = { ...object, metadata: { namespace: 'team', name: 'client-tls', ...object.metadata } };
  const before = structuredClone(secrets.object);
  const deps = {
    secrets,
    recent: new RecentActs(),
    log: SILENT,
    ownership: { assert: () => {} },
    purposeOf: (secret: RawObject) => purposeOf(secret, []),
  };
  const seen = anObserved(aCertificate()).build();
  const error = await publish(seen, plainly(data, seen.resource), memory, content, deps, async () => {}).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, isUntouched: JSON.stringify(before) === JSON.stringify(secrets.object) };
}

const meta = { uid: 'x', resourceVersion: '7' };
const adopted = { 'certwheel.io/adopt': 'client' };
const type = 'kubernetes.io/tls';
const caData = { 'tls.crt': Buffer.from(ca.certificate.pem).toString('base64') };

test('a Secret that is handed over while a certificate is issued is adopted', async () => {
  const { error, isUntouched } = await publishInto({ type, metadata: { ...meta, annotations: adopted } });
  assert.is(error, undefined);
  assert.is(isUntouched, false);
});

const OTHERS: Record<string, RawObject> = {
  'was not handed over': { type, metadata: meta },
  'holds a CA': { type, metadata: { ...meta, annotations: adopted }, data: caData },
  'is a CA generation': {
    type,
    metadata: { ...meta, annotations: adopted, labels: { 'certwheel.io/authority-name': 'ca' } },
  },
  'keeps a key that waits': {
    type,
    metadata: { ...meta, annotations: adopted, labels: { 'certwheel.io/next-of': 'other' } },
  },
};

for (const [sentence, object] of Object.entries(OTHERS)) {
  test(`a Secret that appears meanwhile and ${sentence} is not written`, async () => {
    const { error, isUntouched } = await publishInto(object);
    assert.instance(error, CertwheelError);
    assert.is((error as CertwheelError).code, 'SecretNotOwned');
    assert.ok(isUntouched);
  });
}

test.run();
