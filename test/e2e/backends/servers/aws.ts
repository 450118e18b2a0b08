// A fake of AWS's endpoints over HTTPS, which verifies every signature; why it is one, aws-service.ts says.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createIssuer, issueServer } from '../../../cluster/certificates.ts';
import { freePort } from '../../../cluster/ports.ts';
import { onStop } from '../../../teardown.ts';
import { makeSigningCa, type SigningCa } from '../forging-signer.ts';
import { AwsException, CaService } from './aws-service.ts';
import { signatureProblem } from './aws-signature.ts';
import { type Keys, StsService } from './aws-sts.ts';

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';
const ARN = `arn:aws:acm-pca:${REGION}:${ACCOUNT}:certificate-authority/11111111-2222-3333-4444-555555555555`;

/** What was asked and accepted, in order. */
export interface Call {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly accessKeyId: string;
}

interface Principal extends Keys {
  readonly account: string;
  readonly until?: Date;
  /** The operations that its policy doesn't allow. */
  readonly denied: readonly string[];
}

export class FakeAws {
  readonly service: CaService;
  readonly sts = new StsService();
  readonly calls: Call[] = [];
  readonly url: string;
  /** The CA (PEM) of its TLS certificate, and that certificate with its key. */
  readonly tlsCa: string;
  readonly tls: { readonly cert: string; readonly key: string };
  /** How far its clock is ahead. */
  skewMs = 0;
  /** How many of the next requests of an operation are throttled. */
  readonly throttled = new Map<string, number>();
  readonly #port: number;
  readonly #principals = new Map<string, Principal>();
  readonly #sockets = new Set<Duplex>();
  #server: Server | undefined;

  constructor(ca: SigningCa, port: number) {
    this.service = new CaService(ARN, ca);
    this.#port = port;
    this.url = `https://127.0.0.1:${port}`;
    const issuer = createIssuer('CA of the TLS certificate of AWS');
    const { certificatePem, keyPem } = issueServer(issuer, ['127.0.0.1']);
    this.tlsCa = issuer.certificatePem;
    this.tls = { cert: certificatePem, key: keyPem };
  }

  get arn(): string {
    return this.service.arn;
  }

  /** An access key of a user that may do all but this. */
  accessKey(...denied: readonly string[]): Keys {
    return this.#user(ACCOUNT, denied);
  }

  /** One of another account, with which the CA is not shared. */
  foreignKey(account = '444455556666'): Keys {
    return this.#user(account, []);
  }

  #user(account: string, denied: readonly string[]): Keys {
    const keys = {
      accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
    };
    this.#principals.set(keys.accessKeyId, { ...keys, account, denied });
    return keys;
  }

  /** What must be nowhere but in Secrets. */
  secretKeys(): readonly string[] {
    return [...this.#principals.values()].map(({ secretAccessKey }) => secretAccessKey);
  }

  deleteKey({ accessKeyId }: Keys): void {
    this.#principals.delete(accessKeyId);
  }

  async start(): Promise<void> {
    const server = createServer(this.tls, (incoming, outgoing) => {
      const answer = async () => {
        const body = await buffer(incoming);
        const { status, type, text } = this.#answer(incoming.url ?? '/', incoming.headers, body);
        const now = new Date(Date.now() + this.skewMs);
        outgoing.writeHead(status, { 'content-type': type, date: now.toUTCString(), 'x-amzn-requestid': 'x' });
        outgoing.end(text);
      };
      answer().catch(() => outgoing.destroy());
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
  }

  async halt(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const socket of this.#sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }

  #answer(path: string, headers: IncomingHttpHeaders, body: Buffer) {
    const target = String(headers['x-amz-target'] ?? '');
    const isSts = target === '';
    try {
      if (isSts) return { status: 200, type: 'text/xml', text: this.#sts(path, headers, body) };
      return { status: 200, type: 'application/x-amz-json-1.1', text: this.#pca(path, headers, body, target) };
    } catch (error) {
      const { name, message } = error as Error;
      if (isSts) {
        const type = 'Sender';
        const text = `<ErrorResponse><Error><Type>${type}</Type><Code>${name}</Code><Message>${message}</Message></Error></ErrorResponse>`;
        return { status: name === 'AccessDenied' ? 403 : 400, type: 'text/xml', text };
      }
      const text = JSON.stringify({ __type: `com.amazonaws.acmpca#${name}`, message });
      return { status: error instanceof AwsException ? 400 : 500, type: 'application/x-amz-json-1.1', text };
    }
  }

  #pca(path: string, headers: IncomingHttpHeaders, body: Buffer, target: string): string {
    const [, operation = ''] = target.split('.');
    const principal = this.#signer(path, headers, body, 'acm-pca');
    if (principal.denied.includes(operation)) throw notAuthorized(principal, operation, this.arn, 'identity');
    // AWS asks the share of the CA, which is a policy of the CA, before it looks whether there is one.
    if (principal.account !== ACCOUNT) throw notAuthorized(principal, operation, this.arn, 'resource');
    const left = this.throttled.get(operation) ?? 0;
    if (left > 0) {
      this.throttled.set(operation, left - 1);
      throw new AwsException('ThrottlingException', 'Rate exceeded');
    }
    const input = JSON.parse(body.toString());
    this.calls.push({ operation, input, accessKeyId: principal.accessKeyId });
    return JSON.stringify(this.service.answer(operation, input, this.#now()));
  }

  #sts(path: string, headers: IncomingHttpHeaders, body: Buffer): string {
    // As AWS does before it compares signatures: Vault asks with one slash more than was signed.
    const single = path.replaceAll(/\/+/g, '/');
    const signer =
      headers.authorization === undefined ? undefined : this.#signer(single, headers, body, 'sts').accessKeyId;
    return this.sts.answer(new URLSearchParams(body.toString()), signer, this.#now(), (keys, until) => {
      this.#principals.set(keys.accessKeyId, { ...keys, account: ACCOUNT, until, denied: [] });
    });
  }

  #signer(path: string, headers: IncomingHttpHeaders, body: Buffer, service: string): Principal {
    const request = { method: 'POST', path, headers, body };
    const here = { region: REGION, service, now: this.#now() };
    let found: Principal | undefined;
    const problem = signatureProblem(request, here, (id) => {
      found = this.#principals.get(id);
      return found;
    });
    if (problem !== undefined) throw new AwsException(problem.name, problem.message);
    if (found === undefined) throw new Error('signed by nobody');
    if (found.until !== undefined && found.until < this.#now())
      throw new AwsException('ExpiredTokenException', 'The security token included in the request is expired');
    return found;
  }

  #now(): Date {
    return new Date(Date.now() + this.skewMs);
  }
}

/** It runs until the end of the test file. */
export async function startFakeAws(ca?: SigningCa): Promise<FakeAws> {
  const aws = new FakeAws(ca ?? (await makeSigningCa()), await freePort());
  await aws.start();
  onStop(() => aws.halt());
  return aws;
}

/** In AWS's words. */
function notAuthorized(
  { account, accessKeyId }: Principal,
  operation: string,
  arn: string,
  policy: 'identity' | 'resource',
): AwsException {
  const action = `acm-pca:${operation}`;
  return new AwsException(
    'AccessDeniedException',
    `User: arn:aws:iam::${account}:user/${accessKeyId} is not authorized to perform: ${action} on resource: ${arn} because no ${policy}-based policy allows the ${action} action`,
  );
}
