import { hash, type KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { parseRfc3339 } from '../../api/conditions.ts';
import * as names from '../../api/names.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import type { Issued } from '../../backends/backend.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { keySpecOf, parsePrivateKey, publicKeyDer } from '../../pki/keys.ts';
import { MAX_CHAIN } from '../../pki/path-search.ts';
import { requestOf } from '../client-request.ts';
import { shortOnly } from '../secret/annotations.ts';

/** A request whose answer is awaited, as the Secret that keeps its key says; the key itself is not in here. */
export interface NextKey {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly certificateName: string;
  readonly certificateUid: string;
  /** `CertificateAuthority/name`: the authority that was asked. */
  readonly authority: string;
  /** The id of the request. */
  readonly id: string;
  /** See wantedOf. */
  readonly wanted: string;
  readonly ticket: string | undefined;
  /** Set where the answer was no. */
  readonly denied: { readonly message: string; readonly at: Date } | undefined;
  /**
   * Set where the certificate is kept there too until its CA is shown to be trusted: when it was issued, and the fingerprint
   * of the anchor that it leads to.
   */
  readonly withheld: Withheld | undefined;
}

export interface Withheld {
  readonly at: Date;
  readonly anchor: string;
  /** Of the certificate itself; undefined where none can be read. It isn't proven. */
  readonly leaf?: Pick<CertificateView, 'fingerprintSHA256' | 'publicKeyPin' | 'notAfter'> | undefined;
}

/** What of it is written; the rest is the API server's. */
export type NextContent = Pick<NextKey, 'id' | 'wanted' | 'ticket' | 'denied' | 'withheld'>;

/** Of what a denial says, as much is kept. */
export const LONGEST_DENIAL = 1_024;
/** Of all that is written there the denial is the longest. */
const LONGEST_ANNOTATION = 4 * LONGEST_DENIAL;

export function nextName(certificateName: string): string {
  return `${certificateName}-next`;
}

/**
 * Reduces a Secret that carries NEXT_OF_LABEL; `certificateName` is empty where its name isn't the one that goes with that,
 * or where it lacks the uid: one mark alone is chance or forgery, and such a Secret is neither written nor removed.
 */
export function viewNextKey(object: RawObject): NextKey {
  const { namespace, name, uid, resourceVersion } = parseMeta(object);
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  const claimed = labels[names.NEXT_OF_LABEL] ?? '';
  const read = (annotation: string) => shortOnly(annotations[annotation], LONGEST_ANNOTATION);
  const certificateUid = read(names.CERTIFICATE_UID_ANNOTATION) ?? '';
  const deniedAt = parseRfc3339(read(names.DENIED_AT_ANNOTATION));
  const message = read(names.DENIED_ANNOTATION);
  const withheldAt = parseRfc3339(read(names.WITHHELD_AT_ANNOTATION));
  const anchor = read(names.WITHHELD_BELOW_ANNOTATION);
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    certificateName: name === nextName(claimed) && certificateUid !== '' ? claimed : '',
    certificateUid,
    authority: read(names.AUTHORITY_ANNOTATION) ?? '',
    id: read(names.REQUEST_ANNOTATION) ?? '',
    wanted: read(names.WANTED_ANNOTATION) ?? '',
    ticket: read(names.TICKET_ANNOTATION),
    withheld:
      withheldAt === undefined || anchor === undefined ? undefined : { at: withheldAt, anchor, leaf: leafIn(object) },
    denied: message === undefined || deniedAt === undefined ? undefined : { message, at: deniedAt },
  };
}

/** One request for each key, so that an answer which was refused isn't given again to the next try. */
export function requestId(uid: string, wanted: string, key: KeyObject): string {
  return `${uid}-${hash('sha256', Buffer.concat([Buffer.from(wanted), publicKeyDer(key)])).slice(0, 16)}`;
}

/**
 * The id of a new request that is kept: as above, and for the key of a client another one each time, since that key is the
 * same at the next try. `chance` is from 0 up to 1.
 */
export function newRequestId(uid: string, wanted: string, key: KeyObject, chance: number): string {
  const id = requestId(uid, wanted, key);
  if (key.type === 'private') return id;
  return `${id}-${Math.floor(chance * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}`;
}

const CHANCE = /^-[0-9a-f]{8}$/;

/** Whether it is the id of a request for this key. A tenant may have written it, and it becomes part of names and paths. */
export function isRequestId(id: string, uid: string, wanted: string, key: KeyObject): boolean {
  const own = requestId(uid, wanted, key);
  return id === own || (key.type === 'public' && id.startsWith(own) && CHANCE.test(id.slice(own.length)));
}

/** The key that a Secret keeps for this very request, or that of the client; undefined where it holds another, or none. */
export function keptKey(object: RawObject, { certificateUid, id, wanted }: NextKey, spec: ClientCertificate['spec']) {
  const key =
    spec.csr === undefined
      ? parsed(Buffer.from(object.data?.['tls.key'] ?? '', 'base64').toString('latin1'))
      : requestOf(spec)?.publicKey;
  if (key === undefined || JSON.stringify(keySpecOf(key)) !== JSON.stringify(spec.key)) return undefined;
  return isRequestId(id, certificateUid, wanted, key) ? key : undefined;
}

/** The certificate that a Secret withholds, with its id at the authority; undefined where none can be read. It isn't proven. */
export function keptCertificate(object: RawObject, { withheld, ticket }: NextKey): Issued | undefined {
  if (withheld === undefined) return undefined;
  try {
    const [chain, ca] = [certificatesIn(object, 'tls.crt'), certificatesIn(object, 'ca.crt')];
    if (chain.length === 0) return undefined;
    return { chain, ...(ca.length === 0 ? {} : { ca }), ...(ticket === undefined ? {} : { externalId: ticket }) };
  } catch {
    return undefined;
  }
}

function certificatesIn({ data }: RawObject, key: string): readonly CertificateView[] {
  return parseCertificates(Buffer.from(data?.[key] ?? '', 'base64').toString('latin1'), { most: 2 * MAX_CHAIN });
}

function leafIn(object: RawObject): Withheld['leaf'] {
  try {
    const [leaf] = certificatesIn(object, 'tls.crt');
    if (leaf === undefined) return undefined;
    const { fingerprintSHA256, publicKeyPin, notAfter } = leaf;
    return { fingerprintSHA256, publicKeyPin, notAfter };
  } catch {
    return undefined;
  }
}

function parsed(pem: string): KeyObject | undefined {
  try {
    return parsePrivateKey(pem);
  } catch {
    return undefined;
  }
}
