import { extensionsOf, type HandshakeMessage, readServerHandshake } from './handshake-bytes.ts';

/**
 * What a server asked of its client: whether for a certificate at all, and by which CAs (names in DER). An empty list means
 * any. Many clients, those of Go and Java among them, send no certificate where no name fits.
 */
export type Demand =
  | { readonly asksFor: 'nothing' }
  | { readonly asksFor: 'certificate'; readonly caNames: readonly Buffer[] };

const CERTIFICATE = 11;
const CERTIFICATE_REQUEST = 13;
const SERVER_HELLO_DONE = 14;
const CERTIFICATE_AUTHORITIES = 47;

/**
 * What the server asked for, from the bytes of its handshake; see readServerHandshake. Node hands out no list of CA names,
 * so it is read from the CertificateRequest itself. Undefined where that can't be read.
 */
export function demandOf(received: Buffer, serverSecret: Buffer | undefined): Demand | undefined {
  const handshake = readServerHandshake(received, serverSecret);
  if (handshake === undefined) return undefined;
  const { version, messages } = handshake;
  const request = messages.find(({ type }) => type === CERTIFICATE_REQUEST);
  // It stands before the certificate in TLS 1.3, and behind it in TLS 1.2.
  const afterIt = version === '1.3' ? CERTIFICATE : SERVER_HELLO_DONE;
  if (request === undefined) return messages.some(({ type }) => type === afterIt) ? { asksFor: 'nothing' } : undefined;
  try {
    return { asksFor: 'certificate', caNames: version === '1.3' ? names13(request) : names12(request) };
  } catch {
    return undefined;
  }
}

/** RFC 8446 sections 4.3.2 and 4.2.4. */
function names13({ body }: HandshakeMessage): Buffer[] {
  const authorities = extensionsOf(body.subarray(1 + body.readUInt8(0))).get(CERTIFICATE_AUTHORITIES);
  return authorities === undefined ? [] : namesIn(authorities);
}

/** RFC 5246 section 7.4.4: behind the types of certificates and the signature algorithms. */
function names12({ body }: HandshakeMessage): Buffer[] {
  const algorithmsAt = 1 + body.readUInt8(0);
  return namesIn(body.subarray(algorithmsAt + 2 + body.readUInt16BE(algorithmsAt)));
}

function namesIn(list: Buffer): Buffer[] {
  const names: Buffer[] = [];
  const end = 2 + list.readUInt16BE(0);
  for (let at = 2; at < end; ) {
    const next = at + 2 + list.readUInt16BE(at);
    names.push(list.subarray(at + 2, next));
    at = next;
  }
  return names;
}
