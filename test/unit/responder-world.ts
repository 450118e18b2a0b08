import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { caPath } from '../../src/pki/ca.ts';
import { markedSerial } from '../../src/pki/marked-serial.ts';
import { readCrl } from '../../src/pki/read-crl.ts';
import { signerOf } from '../../src/pki/signer.ts';
import type { ServedCrl } from '../../src/responder/lists.ts';
import { OcspAnswers } from '../../src/responder/ocsp-answers.ts';
import { serveResponder } from '../../src/responder/responder.ts';
import type { Revoked } from '../../src/revocation/crl/crl-due.ts';
import { type OcspKey, ocspData, readOcspKey } from '../../src/revocation/crl/ocsp-files.ts';
import { makeOcspKey } from '../../src/revocation/crl/ocsp-signer.ts';
import { type CrlMaps, publishCrl } from '../../src/revocation/crl/publish-crl.ts';
import { withFiles } from '../e2e/support/openssl.ts';
import { type Holder, leaf, root } from '../pki/make.ts';
import { onStop } from '../teardown.ts';

const HOUR = 3_600_000;
export const PLACE = 'uid-1/v1';
export const SERIAL_KEY = randomBytes(32);

/** openssl compares an answer with its own clock alone. */
export const hence = (hours: number) => new Date(Math.floor(Date.now() / 1_000) * 1_000 + hours * HOUR);
const LIFE = { notBefore: hence(-48), notAfter: hence(480) };

export const ca = await root(LIFE);
export const otherCa = await root({ ...LIFE, commonName: 'Other' });

/** A leaf with the mark of the CA, as Certwheel issues it. */
export function issued(issuer: Holder = ca): Promise<Holder> {
  const serialNumber = markedSerial(randomBytes(12), issuer.certificate, SERIAL_KEY);
  return leaf(issuer, { serialNumber, notBefore: hence(-1), notAfter: hence(100) });
}

/** Takes what is published, and answers as an API server that changes nothing. */
const MAPS: CrlMaps = {
  namespace: 'ns',
  list: async () => [],
  get: async () => undefined,
  apply: async (manifest) => manifest,
  delete: async () => {},
};

export function revoked({ certificate }: Holder): Revoked {
  const { serialNumber, notAfter } = certificate;
  return { serialNumber, notAfter, revokedAt: hence(-0.5), reason: 'keyCompromise' };
}

export async function crlOf(entries: readonly Revoked[], now = hence(0), holder = ca): Promise<ServedCrl> {
  const { crl } = await publishCrl(
    {
      place: { uid: 'uid-1', version: 1 },
      ca: { certificate: holder.certificate, signer: signerOf(holder.key) },
      revoked: entries,
      former: undefined,
      formerNumber: undefined,
      now,
      validityMs: 24 * HOUR,
    },
    MAPS,
  );
  if (crl === undefined) throw new Error('no CRL');
  return { crl: readCrl(crl.der), ca: holder.certificate, digest: `digest of ${crl.number}` };
}

export async function ocspKeyOf(holder = ca, now = hence(0)): Promise<OcspKey> {
  const path = caPath([holder.certificate]);
  const signer = signerOf(holder.key);
  const files = await makeOcspKey({ path, signer, serialKey: SERIAL_KEY, lifetimeMs: 24 * HOUR, now });
  return readOcspKey(ocspData('s', files), 's');
}

interface Served {
  crl?: ServedCrl | undefined;
  key?: OcspKey | undefined;
}

/** A responder over HTTP that serves one CA generation; what is served may be changed. */
export async function responderOf(served: Served, now: () => Date = () => hence(0)) {
  const lists = { isSynced: true, find: (place: string) => (place === PLACE ? served.crl : undefined) };
  const keys = { find: (place: string) => (place === PLACE ? served.key : undefined) };
  const answers = new OcspAnswers(lists, keys, { now });
  const server = await serveResponder({ host: '127.0.0.1', port: 0 }, { lists, keys, answers, clock: { now } });
  onStop(server.close);
  return { port: server.port, url: `http://127.0.0.1:${server.port}`, ask: askOf(server.port) };
}

export interface HttpAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export function askOf(port: number) {
  return async (path: string, options: RequestOptions = {}, body?: Buffer): Promise<HttpAnswer> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request({ host: '127.0.0.1', port, path, agent: false, ...options }, resolve);
    sent.on('error', reject).end(body);
    const answer = await promise;
    return { status: answer.statusCode, headers: answer.headers, body: await buffer(answer) };
  };
}

/** What the openssl command says, beside the event loop; files are named in its arguments. */
export function opensslSays(files: Readonly<Record<string, string>>, args: readonly string[]): Promise<string> {
  return withFiles(
    files,
    (cwd) =>
      new Promise((resolve) => execFile('openssl', [...args], { cwd }, (_error, out, err) => resolve(`${out}${err}`))),
  );
}

/** What `openssl ocsp` makes of the answer of a responder about these certificates. */
export function ocspVerdict(
  url: string,
  holders: readonly Holder[],
  more: readonly string[] = [],
  issuer = ca,
): Promise<string> {
  const names = holders.map((_, index) => `${index}.pem`);
  const files = Object.fromEntries(holders.map(({ certificate }, index) => [`${index}.pem`, certificate.pem]));
  const certificates = names.flatMap((name) => ['-cert', name]);
  const args = ['ocsp', ...more, '-issuer', 'ca', '-CAfile', 'ca', ...certificates, '-url', url, '-resp_text'];
  return opensslSays({ ca: issuer.certificate.pem, ...files }, args);
}
