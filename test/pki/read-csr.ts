import { children, type Element, readElement } from '../../src/pki/asn1/read.ts';
import { TAG } from '../../src/pki/asn1/write.ts';

/** What a PKCS#10 request (DER) asks for. */
export interface RequestParts {
  readonly subjectDer: Buffer;
  readonly publicKeyDer: Buffer;
  /** Each as DER. */
  readonly extensions: readonly Buffer[];
}

/** For signers of tests; the request's own signature is not verified. */
export function readCsr(csr: Buffer): RequestParts {
  const [info] = children(readElement(csr, TAG.sequence, 'request'));
  const [, subject, publicKey, attributes] = info === undefined ? [] : children(info);
  if (subject === undefined || publicKey === undefined || attributes === undefined) throw new Error('no CSR');
  return {
    subjectDer: subject.bytes,
    publicKeyDer: publicKey.bytes,
    extensions: requestedExtensions(attributes).map(({ bytes }) => bytes),
  };
}

function requestedExtensions(attributes: Element): Element[] {
  const [request] = children(attributes);
  const [, values] = request === undefined ? [] : children(request);
  const [list] = values === undefined ? [] : children(values);
  return list === undefined ? [] : children(list);
}
