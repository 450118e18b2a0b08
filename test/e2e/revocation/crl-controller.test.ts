/** The whole way: an annotation has a certificate revoked, and verifiers that ask where the certificate says see it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CRL_OF_LABEL } from '../../../src/api/books-names.ts';
import { CERTIFICATE_AUTHORITIES, CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { readCrl } from '../../../src/pki/read-crl.ts';
import { ocspVerdict, opensslSays } from '../../unit/responder-world.ts';
import { patchCertificate } from '../support/edits.ts';
import {
  authorityStatusOf,
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { startRevocationResponder } from '../support/responder-process.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

const scene = oneScene({ isHome: true, authority: false }, async ({ world, namespace }) => {
  const responder = await startRevocationResponder(world, namespace);
  await createAuthority(world, selfManaged(namespace, 'ca', { revocation: { url: `${responder.url}/pki/` } }));
  return { responder };
});
test.after(scene.stop);

/** The certificate in the Secret, with what the command of openssl needs. */
async function issued(name: string) {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, name));
  await untilReady(world, namespace, name);
  const data = (await world.client.get(SECRETS, namespace, `${name}-tls`))?.data ?? {};
  const pem = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  const [certificate] = parseCertificates(pem('tls.crt'));
  const [ca] = parseCertificates(pem('ca.crt'));
  if (certificate === undefined || ca === undefined) throw new Error('no certificate');
  return { certificate, ca };
}

test('a certificate that an annotation revokes is refused by openssl, by the CRL and by OCSP at its own URLs', async () => {
  const { world, namespace, responder } = await scene.get();
  const [good, bad] = [await issued('good'), await issued('bad')];
  const { certificate, ca } = bad;
  const holders = [good, bad].map(({ certificate: each }) => ({ certificate: each, key: undefined as never }));
  const issuer = { certificate: ca, key: undefined as never };
  const text = await opensslSays({ c: certificate.pem }, ['x509', '-in', 'c', '-noout', '-text']);
  const [, ocspUrl = ''] = /OCSP - URI:(\S+)/.exec(text) ?? [];
  assert.match(ocspUrl, new RegExp(`^${responder.url}/pki/ocsp/[0-9a-f-]{36}/v1$`));
  const files = { ca: ca.pem, good: good.certificate.pem, bad: certificate.pem };
  const verify = ['verify', '-crl_check', '-crl_download', '-x509_strict', '-CAfile', 'ca'];
  await eventually('the CRL is served', async () => (await opensslSays(files, [...verify, 'bad'])).includes('bad: OK'));
  await responder.sync();
  const statuses = async () =>
    [...(await ocspVerdict(ocspUrl, holders, [], issuer)).matchAll(/Cert Status: (\w+)/g)].map(([, status]) => status);
  await eventually('both are good', async () => (await statuses()).join() === 'good,good');

  const annotations = { [REVOKE_ANNOTATION]: `${certificate.serialNumber}=keyCompromise` };
  await patchCertificate(world, namespace, 'bad', { metadata: { annotations } });
  await eventually('openssl refuses it', async () =>
    (await opensslSays(files, [...verify, 'bad'])).includes('certificate revoked'),
  );
  assert.match(await opensslSays(files, [...verify, 'good']), 'good: OK');
  assert.equal(await statuses(), ['good', 'revoked']);
  const { revocation } = await eventually('the status says so', async () => {
    const status = await authorityStatusOf(world, namespace, 'ca');
    return status.revocation?.revoked === 1 && status;
  });
  assert.equal(
    revocation?.crls?.map(({ generation, entries }) => [generation, entries]),
    [[1, 1]],
  );
  await untilReady(world, namespace, 'bad');
  assert.is.not(
    (await readSecret(world, namespace, 'bad-tls'))?.leaf.serialNumber.toLowerCase(),
    certificate.serialNumber,
  );
});

test('an authority without spec.revocation publishes nothing, and its certificates name nothing', async () => {
  const { world, namespace } = await scene.get();
  await createAuthority(world, selfManaged(namespace, 'plain'));
  await create(world, clientCertificate(namespace, 'plain', { authorityRef: { name: 'plain' } }));
  await untilReady(world, namespace, 'plain');
  const { leaf } = (await readSecret(world, namespace, 'plain-tls')) ?? {};
  const text = await opensslSays({ c: leaf?.toString() ?? '' }, ['x509', '-in', 'c', '-noout', '-text']);
  assert.match(text, 'Certificate:');
  assert.not.match(text, 'URI:');
  const { uid = '' } = (await world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'plain'))?.metadata ?? {};
  const { items } = await world.client.list(CONFIG_MAPS, { namespace, labelSelector: `${CRL_OF_LABEL}=${uid}` });
  assert.equal(items, []);
});

test('a CRL that is deleted comes back at the next start of the controller, with a higher number', async () => {
  const { world, namespace, controller } = await scene.get();
  const { uid = '' } = (await world.client.get(CERTIFICATE_AUTHORITIES, namespace, 'ca'))?.metadata ?? {};
  const name = `certwheel-crl-${uid}-v1`;
  const crl = async () => (await world.client.get(CONFIG_MAPS, namespace, name))?.binaryData?.crl;
  const before = readCrl(Buffer.from((await crl()) ?? '', 'base64'));
  await controller.stop();
  await world.client.delete(CONFIG_MAPS, namespace, name);
  await world.controller(['--controller-namespace', namespace]);
  const again = await eventually('it is back', crl);
  const after = readCrl(Buffer.from(again, 'base64'));
  assert.is(after.size, before.size);
  assert.ok((after.number ?? 0n) > (before.number ?? 0n));
});

test.run();
