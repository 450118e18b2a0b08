import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { NO_NAMES } from '../../src/pki/san.ts';
import { type Holder, leaf, root } from '../pki/make.ts';
import type { Mounted } from './mounted.ts';
import { shakeHands } from './mtls-client.ts';
import { type MtlsServer, startMtlsServer } from './mtls-server.ts';

const HOUR = 3_600_000;

test('a handshake reports the serial number of the server', async () => {
  const ca = await realRoot();
  const files = await serverFiles(ca);
  await withServer(files, async ({ port }) => assert.is(await shakeHands(port, await clientFiles(ca)), files.serial));
});

test('a client of another CA is refused, after a reload too', async () => {
  const ca = await realRoot();
  const stranger = { ...(await clientFiles(await realRoot())), ca: ca.certificate.pem };
  const reasons: string[] = [];
  await withServer(
    await serverFiles(ca),
    async (server) => {
      assert.is(await refusal(server, stranger), 'the server hung up');
      server.reload(await serverFiles(ca));
      assert.is(await refusal(server, stranger), 'the server hung up');
    },
    reasons,
  );
  assert.equal(reasons, ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
});

test('a server of another CA is refused', async () => {
  await withServer(await serverFiles(await realRoot()), async (server) => {
    assert.match(await refusal(server, await clientFiles(await realRoot())), /unable to verify|self-signed/);
  });
});

test('an expired client is refused', async () => {
  const ca = await realRoot();
  const expired = await clientFiles(ca, new Date(Date.now() - HOUR));
  const reasons: string[] = [];
  const refused = async (server: MtlsServer) => assert.is(await refusal(server, expired), 'the server hung up');
  await withServer(await serverFiles(ca), refused, reasons);
  assert.equal(reasons, ['CERT_HAS_EXPIRED']);
});

test('after a reload new connections see the new certificate', async () => {
  const ca = await realRoot();
  const next = await serverFiles(ca);
  await withServer(await serverFiles(ca), async (server) => {
    server.reload(next);
    assert.is(await shakeHands(server.port, await clientFiles(ca)), next.serial);
  });
});

async function withServer(
  files: Mounted,
  use: (server: MtlsServer) => Promise<void>,
  reasons: string[] = [],
): Promise<void> {
  const server = await startMtlsServer(files, (reason) => reasons.push(reason));
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

function refusal({ port }: MtlsServer, files: Mounted): Promise<string> {
  return shakeHands(port, files).then(
    () => 'it was admitted',
    (error: Error) => error.message,
  );
}

function realRoot(): Promise<Holder> {
  return root({ notBefore: new Date(Date.now() - 24 * HOUR), notAfter: new Date(Date.now() + 24 * HOUR) });
}

async function serverFiles(ca: Holder): Promise<Mounted> {
  const names = { ...NO_NAMES, dnsNames: ['localhost'] };
  return filesOf(ca, await leaf(ca, { names, usages: ['digital signature', 'server auth'], ...validUntil() }));
}

async function clientFiles(ca: Holder, notAfter?: Date): Promise<Mounted> {
  return filesOf(ca, await leaf(ca, validUntil(notAfter)));
}

function validUntil(notAfter = new Date(Date.now() + HOUR)) {
  return { notBefore: new Date(Date.now() - 2 * HOUR), notAfter };
}

function filesOf(ca: Holder, { certificate, key }: Holder): Mounted {
  return {
    cert: certificate.pem,
    key: encodePrivateKey(key, 'PKCS8'),
    ca: ca.certificate.pem,
    serial: certificate.serialNumber,
    publicKeyHash: createHash('sha256').update(certificate.publicKeyPin).digest('hex'),
    notAfter: certificate.notAfter,
    arrivedAt: new Date(),
  };
}

test.run();
