import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { CLIENT_CERTIFICATE_ANNOTATION, MANAGED_BY } from '../../api/names.ts';
import { children, readElement } from '../../pki/asn1/read.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { parsePem, toPem } from '../../pki/pem.ts';
import { RecentlyUsed } from '../../recently-used.ts';
import type { IssueRequest } from '../backend.ts';

const SEQUENCE = 0x30;

const MOST_RECOGNISED = 10_000;
/**
 * By the id of a request, which is another one for another key and another identity: the digest of a text that is its CSR. A
 * request is polled for days, and to compare means to sign another CSR, which takes an RSA key milliseconds.
 */
const recognised = new RecentlyUsed<string>({ most: MOST_RECOGNISED, mostWeight: MOST_RECOGNISED });

/** What of a request its object is found by. */
export interface RequestKey extends Pick<IssueRequest, 'id'> {
  readonly requester: Pick<IssueRequest['requester'], 'namespace'>;
}

/**
 * The name of the object that stands for a request: the same request has the same name, so that a retry finds it. The id is kept
 * where people of the namespace can write, so the namespace is part of the name: a forged id doesn't reach the
 * requests of another one.
 */
export function requestName({ id, requester }: RequestKey): string {
  return `certwheel-${requester.namespace}.${id}`;
}

/** What such an object says of where it comes from. */
export function requestMetadata(request: Pick<IssueRequest, 'id' | 'requester'>) {
  const { requester } = request;
  return {
    name: requestName(request),
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
 * made with chance; everything else must be the same.
 */
export function asksTheSame(text: unknown, request: IssueRequest): boolean {
  return isCsrOf(Buffer.from(String(text), 'base64').toString('latin1'), request);
}

/**
 * The same of the PEM itself, which is nothing but one block with the label of a CSR, as `toPem` writes it: beside another block,
 * or under another label, programs would read the one or the other, and openssl the one that isn't ours.
 */
export function isCsrOf(pem: string, request: Pick<IssueRequest, 'id' | 'csr'>): boolean {
  const digest = hash('sha256', pem, 'base64');
  if (recognised.get(request.id) === digest) return true;
  try {
    const [block] = parsePem(pem);
    if (block === undefined || toPem(CSR_LABEL, block.der) !== pem) return false;
    if (!infoOf(block.der).equals(infoOf(request.csr()))) return false;
    recognised.set(request.id, digest, 1);
    return true;
  } catch {
    return false;
  }
}

/** Whether a list of an object has the same words as ours, in any order. */
export function sameWords(found: unknown, ours: readonly string[]): boolean {
  return Array.isArray(found) && isDeepStrictEqual([...found].sort(), [...ours].sort());
}

/** What is signed in a PKCS#10 request: subject, key and attributes. */
function infoOf(csr: Buffer): Buffer {
  const [info] = children(readElement(csr, SEQUENCE, 'certificate request'));
  return info?.bytes ?? Buffer.alloc(0);
}
