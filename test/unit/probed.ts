/** What tests of probes share: a CA with its leaves, and TLS servers that ask for client certificates. */
import type { AddressInfo, Server } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import type { ProbeProtocol } from '../../src/api/verifiers.ts';
import { systemClock } from '../../src/clock.ts';
import type { Answer, Credentials } from '../../src/probes/answer.ts';
import { ask } from '../../src/probes/ask.ts';
import { makeProbeLeaf, makeRogueLeaf } from '../../src/probes/leaves.ts';
import { ServerTrust } from '../../src/probes/server-trust.ts';
import type { KeyedGeneration } from '../../src/rotation/generation.ts';
import { createIssuer, issueServer } from '../cluster/certificates.ts';
import { pairOf, root } from '../pki/make.ts';
import { onStop } from '../teardown.ts';
import { aGeneration } from './a-generation.ts';

export const serverCA = createIssuer('CA of servers');
const SERVER = issueServer(serverCA, ['127.0.0.1', 'localhost']);
export const IDENTITY = { namespace: 'payments', authority: 'clients', verifier: 'gateway' };
export const TLS: ProbeProtocol = { is: 'tls' };
export const HTTP: ProbeProtocol = { is: 'http', path: '/', acceptStatus: [200], rejectStatus: [400] };

/** A CA generation that is valid now, with its signer. */
export async function generation(commonName: string, version = 1): Promise<KeyedGeneration> {
  const now = Date.now();
  const notBefore = new Date(now - 3_600_000);
  const ca = pairOf(await root({ commonName, notBefore, notAfter: new Date(now + 86_400_000) }));
  return { ...aGeneration(version, 'Active', ca), signer: ca.signer };
}

export async function leafOf(ca: KeyedGeneration): Promise<Credentials> {
  const leaf = await makeProbeLeaf(ca, IDENTITY, new Date(), () => {});
  if (leaf === undefined) throw new Error('no leaf');
  return leaf;
}

export async function rogueOf(ca: KeyedGeneration): Promise<Credentials> {
  const leaf = await makeRogueLeaf(ca, IDENTITY, new Date());
  if (leaf === undefined) throw new Error('no leaf');
  return leaf;
}

/** A server of Node that demands a client certificate; answers each request with that status. Returns its port. */
export async function nodeServer(options: TlsOptions, answer = 'HTTP/1.1 200 OK\r\n\r\n'): Promise<number> {
  const server = createServer(
    { cert: SERVER.certificatePem, key: SERVER.keyPem, requestCert: true, rejectUnauthorized: true, ...options },
    (socket) => socket.on('error', () => {}).on('data', () => socket.end(answer)),
  );
  server.on('tlsClientError', () => {});
  return listening(server);
}

export async function listening(server: Server): Promise<number> {
  onStop(() => new Promise((resolve) => server.close(resolve)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export function question(port: number, credentials: Credentials, protocol: ProbeProtocol) {
  return {
    address: '127.0.0.1',
    port,
    serverName: 'localhost',
    serverTrust: new ServerTrust(serverCA.certificatePem),
    credentials,
    protocol,
  };
}

export function asking(
  port: number,
  credentials: Credentials,
  protocol: ProbeProtocol,
  more: object = {},
): Promise<Answer> {
  return ask({ ...question(port, credentials, protocol), ...more }, systemClock, new AbortController().signal);
}

export const SERVER_PAIR = SERVER;
