/** An OCSP responder in the process of the tests, over the code with which Certwheel reads requests and signs answers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type CertId, isOfIssuer, readOcspRequest } from '../../../src/pki/ocsp-request.ts';
import { type CertStatus, ocspFailure, signOcspResponse } from '../../../src/pki/ocsp-response.ts';
import { signerOf } from '../../../src/pki/signer.ts';
import { HOUR, type Holder, leaf } from '../../pki/make.ts';
import { onStop } from '../../teardown.ts';

export interface OcspServer {
  readonly url: string;
  readonly port: number;
  /** By serial number. `unknown` for any other. */
  readonly statuses: Map<string, CertStatus>;
  /** How many requests have come. */
  requests(): number;
  stop(): Promise<void>;
}

export const GOOD: CertStatus = { is: 'good' };
export const REVOKED: CertStatus = { is: 'revoked', at: new Date(Date.now() - 60_000), reasonCode: 1 };

interface Options {
  /** How long an answer may be relied on. An hour unless given. */
  readonly validMs?: number;
  readonly port?: number;
}

/** Answers for certificates of these CAs, each with a certificate that it has delegated; `unauthorized` for others. */
export async function ocspServer(
  holders: readonly Holder[],
  { validMs = HOUR, port = 0 }: Options = {},
): Promise<OcspServer> {
  const responders = await Promise.all(
    holders.map(async (ca) => {
      const [notBefore, notAfter] = [new Date(Date.now() - HOUR), new Date(Date.now() + HOUR)];
      const usages = ['digital signature', 'ocsp signing'];
      const { certificate, key } = await leaf(ca, { subject: { commonName: 'OCSP' }, usages, notBefore, notAfter });
      return { certificate, signer: signerOf(key), ca: ca.certificate };
    }),
  );
  const statuses = new Map<string, CertStatus>();
  const statusOf = (id: CertId) => statuses.get(id.serialNumber) ?? ({ is: 'unknown' } as const);
  const answer = async (request: Buffer) => {
    const { certificates, nonce } = readOcspRequest(request);
    const found = responders.find(({ ca }) => certificates.every((id) => isOfIssuer(id, ca)));
    if (found === undefined) return ocspFailure('unauthorized');
    const now = new Date();
    return signOcspResponse({
      answers: certificates.map((id) => ({ id, status: statusOf(id) })),
      responder: found,
      thisUpdate: now,
      producedAt: now,
      nextUpdate: new Date(now.getTime() + validMs),
      nonce,
    });
  };
  let requests = 0;
  const server = createServer(async (message, response) => {
    requests++;
    const body = await answer(await requestIn(message)).catch(() => ocspFailure('malformedRequest'));
    response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(body);
  });
  server.listen(port, '127.0.0.1');
  const stop = onStop(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    statuses,
    requests: () => requests,
    stop: async () => {
      await stop();
    },
  };
}

/** RFC 6960 appendix A.1: the body of a POST, or in the path of a GET. */
async function requestIn(message: IncomingMessage): Promise<Buffer> {
  if (message.method === 'POST') return buffer(message);
  return Buffer.from(decodeURIComponent((message.url ?? '').replace(/^\/+/, '')), 'base64');
}
