import { CLIENT_CERTIFICATE_ANNOTATION, MANAGED_BY } from '../../api/names.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { children, readElement } from '../../pki/der-read.ts';
import { parsePem, toPem } from '../../pki/pem.ts';
import type { IssueRequest } from '../authority.ts';

const SEQUENCE = 0x30;

/** The name of the object that stands for a request: one each, so that whoever makes it again finds it. */
export function requestName(id: string): string {
  return `certwheel-${id}`;
}

/** What such an object says of where it comes from. */
export function requestMetadata({ id, requester }: IssueRequest) {
  return {
    name: requestName(id),
    labels: { [MANAGED_BY]: 'certwheel' },
    annotations: { [CLIENT_CERTIFICATE_ANNOTATION]: `${requester.namespace}/${requester.name}` },
  };
}

/** `spec.request`: PEM, in base64 once more, as both APIs have it. */
export function requestText(request: IssueRequest): string {
  return Buffer.from(toPem(CSR_LABEL, request.csr()), 'latin1').toString('base64');
}

/**
 * Whether `spec.request` of an object asks for exactly what we ask for. The signature in it may differ, since most are
 * made with chance; everything else must be the same before anything is done in its favour.
 */
export function asksTheSame(text: unknown, request: IssueRequest): boolean {
  try {
    const [block] = parsePem(Buffer.from(String(text), 'base64').toString('latin1'));
    return block !== undefined && infoOf(block.der).equals(infoOf(request.csr()));
  } catch {
    return false;
  }
}

/** What is signed in a PKCS#10 request: subject, key and attributes. */
function infoOf(csr: Buffer): Buffer {
  const [info] = children(readElement(csr, SEQUENCE, 'certificate request'));
  return info?.bytes ?? Buffer.alloc(0);
}
