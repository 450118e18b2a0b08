import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

/** An access key of IAM; temporary ones come with a session token. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface RequestToSign {
  readonly method: string;
  /** Scheme, host, port and path. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The hash that SignatureV4 asks for, by Node itself: AWS's own package of it would be one more dependency. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data);
}

/**
 * The headers of a request with AWS's Signature Version 4, without `host`, which the client sends by itself. Every header
 * that is given is signed.
 */
export async function signedHeaders(
  { method, url, headers, body }: RequestToSign,
  keys: AwsKeys,
  { region, service, now }: { readonly region: string; readonly service: string; readonly now: Date },
): Promise<Readonly<Record<string, string>>> {
  const { sessionToken, ...pair } = keys;
  const signer = new SignatureV4({
    credentials: { ...pair, ...(sessionToken === undefined ? {} : { sessionToken }) },
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const request = {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: queryOf(url),
    headers: { ...headers, host: url.host },
    body,
  };
  const { headers: signed } = await signer.sign(request, { signingDate: now });
  const { host: _, ...sent } = signed;
  return sent;
}

function queryOf({ searchParams }: URL): Record<string, string | string[]> {
  const query: Record<string, string[]> = {};
  for (const name of searchParams.keys()) query[name] = searchParams.getAll(name);
  return query;
}
