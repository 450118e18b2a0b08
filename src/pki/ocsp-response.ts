import { hash } from 'node:crypto';
import {
  bitString,
  explicit,
  generalizedTime,
  implicit,
  NULL,
  octetString,
  oid,
  sequence,
  TAG,
  tlv,
} from './asn1/write.ts';
import type { CertificateView } from './certificate.ts';
import { extension } from './extensions.ts';
import { type CertId, keyBits } from './ocsp-request.ts';
import { algorithmIdentifierFor } from './signature.ts';
import type { Signer } from './signer.ts';

/** What is known of a certificate. `unknown` is one that the CA has not issued: a forger's serial number must not be good. */
export type CertStatus =
  | { readonly is: 'good' }
  | { readonly is: 'revoked'; readonly at: Date; readonly reasonCode: number }
  | { readonly is: 'unknown' };

export interface OcspAnswer {
  readonly id: CertId;
  readonly status: CertStatus;
}

export interface OcspResponseRequest {
  readonly answers: readonly OcspAnswer[];
  /** Delegated by the CA: its certificate has the usage "ocsp signing". */
  readonly responder: {
    readonly certificate: CertificateView;
    readonly signer: Signer;
    /** That has delegated it. The answer carries an intermediate: Apache and `openssl ocsp` look for it nowhere else. */
    readonly ca?: CertificateView | undefined;
  };
  /** Whole seconds count; as of when the status is known, and how long it may be relied on. */
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly producedAt: Date;
  readonly nonce?: Buffer | undefined;
}

/** RFC 6960 section 4.2.1: the answers that are no answer, and aren't signed. */
export const OCSP_FAILURES = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const;

const OID = { basic: '1.3.6.1.5.5.7.48.1.1', nonce: '1.3.6.1.5.5.7.48.1.2', noCheck: '1.3.6.1.5.5.7.48.1.5' } as const;
const GOOD = implicit(0, Buffer.alloc(0));
const UNKNOWN = implicit(2, Buffer.alloc(0));
const SUCCESSFUL = enumerated(0);

/** On the responder's certificate: its own revocation is not to be asked about (RFC 6960 section 4.2.2.2.1). It lives for days. */
export const NO_CHECK = extension(OID.noCheck, false, NULL);

/** The OCSPResponse (DER) without an answer. */
export function ocspFailure(failure: keyof typeof OCSP_FAILURES): Buffer {
  return sequence(enumerated(OCSP_FAILURES[failure]));
}

/** Signs the answers (RFC 6960 section 4.2) and returns the OCSPResponse (DER). */
export async function signOcspResponse(request: OcspResponseRequest): Promise<Buffer> {
  const { answers, responder, thisUpdate, nextUpdate, producedAt, nonce } = request;
  const { certificate, signer, ca } = responder;
  const above = ca === undefined || ca.subjectDer.equals(ca.issuerDer) ? [] : [ca.der];
  const update = [generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate))];
  const data = sequence(
    // RFC 6960 section 4.2.1: the key hash is SHA-1, whatever else is in use.
    explicit(2, octetString(hash('sha1', keyBits(certificate.publicKeyDer), 'buffer'))),
    generalizedTime(producedAt),
    sequence(...answers.map(({ id, status }) => sequence(id.der, statusDer(status), ...update))),
    ...(nonce === undefined ? [] : [explicit(1, sequence(extension(OID.nonce, false, octetString(nonce))))]),
  );
  const basic = sequence(
    data,
    algorithmIdentifierFor(signer.keySpec),
    bitString(await signer.sign(data)),
    explicit(0, sequence(certificate.der, ...above)),
  );
  return sequence(SUCCESSFUL, explicit(0, sequence(oid(OID.basic), octetString(basic))));
}

function statusDer(status: CertStatus): Buffer {
  if (status.is === 'good') return GOOD;
  if (status.is === 'unknown') return UNKNOWN;
  const { at, reasonCode } = status;
  // As in a list, unspecified is left out.
  return tlv(0xa1, generalizedTime(at), ...(reasonCode === 0 ? [] : [explicit(0, enumerated(reasonCode))]));
}

function enumerated(value: number): Buffer {
  return tlv(TAG.enumerated, Buffer.of(value));
}
