import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, P256, root } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { CA_KEY, named, strangePath } from '../../test/pki/strange-ca.ts';
import { parseCertificate } from './certificate.ts';
import { encodingProblem } from './foreign-encodings.ts';
import { encodePrivateKey } from './keys.ts';

test('the problem names the verifier, the encoding and the attribute', () => {
  assert.is(
    encodingProblem(strangePath(named(0x13, 'my_org'))[1]),
    'Go refuses a PrintableString with "_" in O=my_org',
  );
});

test('a certificate that Certwheel makes has no problem', async () => {
  for (const keySpec of [P256, { algorithm: 'RSA', size: 2048 }, { algorithm: 'Ed25519' }] as const) {
    const ca = await root({ keySpec });
    assert.is(encodingProblem(ca.certificate), undefined);
    const names = {
      dnsNames: ['*.a_b.example'],
      uris: ['spiffe://a.example/x'],
      emailAddresses: [],
      ipAddresses: ['::1'],
    };
    const client = await leaf(ca, { subject: { organizations: ['Ä & Co'], serialNumber: '1' }, names });
    assert.is(encodingProblem(client.certificate), undefined);
  }
});

test('the command for a compressed key writes the same key, with which a readable certificate is made', () => {
  const compressed = openssl(['ec', '-in', '{key}', '-conv_form', 'compressed'], {
    key: encodePrivateKey(CA_KEY, 'PKCS1'),
  });
  const request = ['req', '-x509', '-subj', '/CN=again', '-key', '{key}'];
  const [bad] = [openssl(request, { key: compressed.out })].map(({ out }) => out);
  assert.match(problemOf(bad ?? '') ?? '', /compressed/);
  const plain = openssl(['ec', '-in', '{key}', '-conv_form', 'uncompressed'], { key: compressed.out });
  assert.is(problemOf(openssl(request, { key: plain.out }).out), undefined);
});

function problemOf(pem: string): string | undefined {
  const base64 = pem.replace(/-----[A-Z ]+-----/g, '');
  return encodingProblem(parseCertificate(Buffer.from(base64, 'base64')));
}

test.run();
