import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPending } from '../../../src/backends/backend.ts';
import { CSR_LABEL } from '../../../src/pki/csr.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { createIssuer, issueServer } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { lazily } from '../support/lazily.ts';
import { direct, KEY_SECRET } from './aws-direct.ts';
import { startMoto, startOracle } from './servers/aws-python.ts';

// The backend before moto, an imitation of AWS that others wrote. It ignores validity and templates, so the proof would
// refuse its certificates; what is compared is how requests and answers are written.

const { signal } = new AbortController();
const KEYS = { accessKeyId: 'AKIAMOTO', secretAccessKey: 'secret' };
const REGION = 'eu-central-1';
const places = lazily(start);
test.after(places.stop);

/** moto with TLS in front, and an active root CA in it, made by AWS's own client. */
async function start() {
  const [moto, oracle] = [await startMoto(), await startOracle()];
  const call = async (operation: string, input: object) => {
    const asked = {
      ask: 'call',
      service: 'acm-pca',
      region: REGION,
      endpoint: moto,
      verify: false,
      keys: KEYS,
      operation,
      input,
    };
    const { output, message } = await oracle.ask<{ output?: Record<string, string>; message?: string }>(asked);
    if (output === undefined) throw new Error(`${operation}: ${message}`);
    return output;
  };
  const configuration = {
    KeyAlgorithm: 'RSA_2048',
    SigningAlgorithm: 'SHA256WITHRSA',
    Subject: { CommonName: 'Moto' },
  };
  const { CertificateAuthorityArn: arn = '' } = await call('CreateCertificateAuthority', {
    CertificateAuthorityConfiguration: configuration,
    CertificateAuthorityType: 'ROOT',
    RevocationConfiguration: { CrlConfiguration: { Enabled: true, ExpirationInDays: 7, S3BucketName: 'crl' } },
  });
  const { Csr = '' } = await call('GetCertificateAuthorityCsr', { CertificateAuthorityArn: arn });
  const { CertificateArn = '' } = await call('IssueCertificate', {
    CertificateAuthorityArn: arn,
    Csr: Buffer.from(Csr).toString('base64'),
    SigningAlgorithm: 'SHA256WITHRSA',
    TemplateArn: 'arn:aws:acm-pca:::template/RootCACertificate/V1',
    Validity: { Type: 'DAYS', Value: 3_650 },
  });
  const { Certificate = '' } = await call('GetCertificate', { CertificateAuthorityArn: arn, CertificateArn });
  await call('ImportCertificateAuthorityCertificate', {
    CertificateAuthorityArn: arn,
    Certificate: Buffer.from(Certificate).toString('base64'),
  });
  return { arn, ...(await withTls(moto)) };
}

/** Certwheel speaks HTTPS alone, and moto HTTP. */
async function withTls(upstream: string): Promise<{ readonly endpoint: string; readonly caBundle: string }> {
  const issuer = createIssuer('CA of the proxy');
  const { certificatePem: cert, keyPem: key } = issueServer(issuer, ['127.0.0.1']);
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const pass = async () => {
      const body = await buffer(incoming);
      const { connection: _, ...headers } = incoming.headers;
      const call = httpRequest(upstream, { method: 'POST', path: incoming.url, headers, agent: false }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      call.on('error', () => outgoing.destroy());
      call.end(body);
    };
    pass().catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onStop(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `https://127.0.0.1:${port}`, caBundle: Buffer.from(issuer.certificatePem).toString('base64') };
}

test('the CA is described and trusted, and a certificate is issued and revoked', async () => {
  const place = await places.get();
  const backend = direct({ ...place, auth: { secretRef: { name: KEY_SECRET } } }, { current: KEYS });
  const { anchors } = await backend.trust(signal);
  assert.equal(
    anchors.map(({ subjectText }) => subjectText),
    ['CN=Moto'],
  );
  const request = await issueRequest();
  const issued = await backend.issue(request, signal);
  if (isPending(issued)) throw new Error(issued.message);
  const leaf = leafOf(issued);
  assert.ok(leaf.publicKeyDer.equals(request.publicKey), toPem(CSR_LABEL, request.csr()));
  assert.is(leaf.subjectText, 'CN=alice');
  assert.is(issued.chain.length, 1);
  await backend.revoke({ serialNumber: leaf.serialNumber }, 'superseded', signal);
});

test.run();
