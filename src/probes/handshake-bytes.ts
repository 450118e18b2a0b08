import { createDecipheriv, createHmac } from 'node:crypto';

/** One handshake message of a server (RFC 8446 section 4). */
export interface HandshakeMessage {
  readonly type: number;
  readonly body: Buffer;
}

export interface ServerHandshake {
  readonly version: '1.2' | '1.3';
  /** In their order, as far as they arrived. */
  readonly messages: readonly HandshakeMessage[];
}

const CONTENT = { changeCipherSpec: 20, handshake: 22, applicationData: 23 } as const;
const SERVER_HELLO = 2;
const SUPPORTED_VERSIONS = 43;

/** RFC 8446 appendix B.4: what a client of OpenSSL may agree on. */
const SUITES = new Map([
  [0x1301, { cipher: 'aes-128-gcm', keyBytes: 16, digest: 'sha256' }],
  [0x1302, { cipher: 'aes-256-gcm', keyBytes: 32, digest: 'sha384' }],
  [0x1303, { cipher: 'chacha20-poly1305', keyBytes: 32, digest: 'sha256' }],
] as const);

/**
 * The handshake messages of a server, from the bytes that it sent. In TLS 1.3 they are encrypted; `serverSecret` is the
 * SERVER_HANDSHAKE_TRAFFIC_SECRET of the client's key log. Undefined where the bytes are no such handshake.
 */
export function readServerHandshake(received: Buffer, serverSecret: Buffer | undefined): ServerHandshake | undefined {
  try {
    return read(received, serverSecret);
  } catch {
    // Cut short, or not TLS: the handshake itself has failed or fails for that.
    return undefined;
  }
}

function read(received: Buffer, serverSecret: Buffer | undefined): ServerHandshake | undefined {
  const clear: Buffer[] = [];
  const sealed: Buffer[] = [];
  for (const record of recordsOf(received)) {
    const type = record[0];
    if (type === CONTENT.applicationData) sealed.push(record);
    else if (type === CONTENT.handshake) clear.push(record.subarray(5));
    // In TLS 1.2 all that follows is encrypted. In TLS 1.3 this record means nothing.
    else if (type === CONTENT.changeCipherSpec && !isTls13(helloOf(messagesOf(Buffer.concat(clear))))) break;
  }
  const open = messagesOf(Buffer.concat(clear));
  const hello = helloOf(open);
  if (hello === undefined) return undefined;
  if (!isTls13(hello)) return { version: '1.2', messages: open };
  const suite = SUITES.get(suiteOf(hello) as 0x1301);
  if (suite === undefined || serverSecret === undefined) return undefined;
  const key = expandLabel(serverSecret, 'key', suite.keyBytes, suite.digest);
  const iv = expandLabel(serverSecret, 'iv', 12, suite.digest);
  const plain: Buffer[] = [];
  for (const [sequence, record] of sealed.entries()) {
    const inner = openRecord(record, { cipher: suite.cipher, key, iv, sequence });
    // After Finished the server takes other keys.
    if (inner === undefined) break;
    if (inner.type === CONTENT.handshake) plain.push(inner.content);
  }
  return { version: '1.3', messages: messagesOf(Buffer.concat(plain)) };
}

function* recordsOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (end > bytes.length) return;
    yield bytes.subarray(at, end);
    at = end;
  }
}

function messagesOf(bytes: Buffer): HandshakeMessage[] {
  const messages: HandshakeMessage[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUIntBE(at + 1, 3);
    if (end > bytes.length) break;
    messages.push({ type: bytes.readUInt8(at), body: bytes.subarray(at + 4, end) });
    at = end;
  }
  return messages;
}

/** The last one: a HelloRetryRequest comes as a ServerHello too (RFC 8446 section 4.1.4). */
function helloOf(messages: readonly HandshakeMessage[]): Buffer | undefined {
  return messages.findLast(({ type }) => type === SERVER_HELLO)?.body;
}

/** Behind version, random and session id. */
function suiteAt(hello: Buffer): number {
  return 35 + hello.readUInt8(34);
}

function suiteOf(hello: Buffer): number {
  return hello.readUInt16BE(suiteAt(hello));
}

function isTls13(hello: Buffer | undefined): boolean {
  if (hello === undefined) return false;
  const at = suiteAt(hello) + 3;
  if (at + 2 > hello.length) return false;
  return extensionsOf(hello.subarray(at)).get(SUPPORTED_VERSIONS)?.readUInt16BE(0) === 0x0304;
}

/** The extensions of a message, by type; `bytes` begin with their length. */
export function extensionsOf(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  const end = 2 + bytes.readUInt16BE(0);
  for (let at = 2; at + 4 <= end; ) {
    const next = at + 4 + bytes.readUInt16BE(at + 2);
    found.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, next));
    at = next;
  }
  return found;
}

/** RFC 8446 section 7.1. One block of HKDF-Expand (RFC 5869) is enough: nothing here is longer than the digest. */
function expandLabel(secret: Buffer, label: string, bytes: number, digest: string): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([bytes >> 8, bytes & 0xff, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(digest, secret).update(info).digest().subarray(0, bytes);
}

interface Keys {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly sequence: number;
}

/** RFC 8446 section 5.2 and 5.3. Undefined where these are not the keys of the record. */
function openRecord(
  record: Buffer,
  { cipher, key, iv, sequence }: Keys,
): { readonly type: number | undefined; readonly content: Buffer } | undefined {
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sequence) >>> 0, 8);
  const body = record.subarray(5);
  if (body.length < 17) return undefined;
  // Node has no common type for the AEAD ciphers.
  const decipher = createDecipheriv(cipher as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(record.subarray(0, 5));
  decipher.setAuthTag(body.subarray(-16));
  try {
    const inner = Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    return { type: inner[end - 1], content: inner.subarray(0, Math.max(0, end - 1)) };
  } catch {
    return undefined;
  }
}
