import { hash } from 'node:crypto';
import { formatDuration } from '../../api/duration.ts';
import type { Resource } from '../../api/names.ts';
import * as names from '../../api/names.ts';
import type { RawObject } from '../../api/parse.ts';
import { readable } from '../../foreign-text.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { SUBJECT_FIELDS, valuesOf } from '../../pki/name.ts';
import { toPem } from '../../pki/pem.ts';
import { NAME_FIELDS } from '../../pki/san.ts';
import type { IssueRequest } from '../backend.ts';
import type { NewObject } from '../backend-deps.ts';
import { isCsrOf } from '../kubernetes/request-object.ts';

/** The keys of the ConfigMap: what Certwheel writes, and what a person writes. */
export const REQUEST_KEY = 'request.csr';
export const CERTIFICATE_KEY = 'tls.crt';
export const DENIED_KEY = 'denied';

const READ_KEYS: readonly string[] = [REQUEST_KEY, CERTIFICATE_KEY, DENIED_KEY];

/** The whole is in the CSR. */
const LONGEST_IDENTITY = 4_096;

/** By which a ConfigMap is found again. */
export interface CsrMark {
  /** The ConfigMap is `<name>-csr`, or `<name>-request` where it is of a CA. */
  readonly name: string;
  /** Whether a CA is asked for: no ClientCertificate, whatever its name, may take the place of that. */
  readonly isOfCA?: boolean;
  /** Of the resource that needs the certificate. */
  readonly uid: string;
}

/** A CSR that a person is to have signed. */
export interface CsrRequest extends CsrMark, Pick<IssueRequest, 'id' | 'csr' | 'identity' | 'lifetimeMs'> {
  /** The resource that needs the certificate: the ConfigMap goes with it. */
  readonly owner: { readonly resource: Resource; readonly name: string };
  /** Further annotations. */
  readonly says: Readonly<Record<string, string>>;
}

export function csrName({ name, isOfCA = false }: Pick<CsrMark, 'name' | 'isOfCA'>): string {
  return `${name}-${isOfCA ? 'request' : 'csr'}`;
}

/** The CSR of a ClientCertificate. */
export function csrRequest(
  { requester: { namespace, name, uid }, id, csr, identity, lifetimeMs }: IssueRequest,
  authority: string,
): CsrRequest {
  const says = {
    [names.CLIENT_CERTIFICATE_ANNOTATION]: `${namespace}/${name}`,
    [names.AUTHORITY_ANNOTATION]: authority,
  };
  return { name, uid, id, csr, identity, lifetimeMs, says, owner: { resource: names.CLIENT_CERTIFICATES, name } };
}

export function csrManifest(request: CsrRequest, instructions: string | undefined): NewObject {
  const { name, uid, id, owner, identity, lifetimeMs, says } = request;
  const csr = toPem(CSR_LABEL, request.csr());
  return {
    metadata: {
      name: csrName(request),
      labels: { [names.MANAGED_BY]: 'certwheel', [names.CSR_OF_LABEL]: name },
      annotations: {
        ...says,
        [names.CERTIFICATE_UID_ANNOTATION]: uid,
        [names.REQUEST_ANNOTATION]: id,
        [names.REQUESTED_IDENTITY_ANNOTATION]: identityText(identity),
        [names.REQUESTED_DURATION_ANNOTATION]: formatDuration(lifetimeMs),
        [names.CSR_DIGEST_ANNOTATION]: digestOf(csr),
        ...(instructions === undefined ? {} : { [names.INSTRUCTIONS_ANNOTATION]: instructions }),
      },
      ownerReferences: [
        { apiVersion: names.apiVersion(owner.resource), kind: owner.resource.kind, name: owner.name, uid },
      ],
    },
    data: { [REQUEST_KEY]: csr },
  };
}

/** By both marks; one alone is chance or forgery. */
export function isOurs({ metadata = {} }: RawObject, { name, uid }: CsrMark): boolean {
  const { labels = {}, annotations = {} } = metadata;
  return labels[names.CSR_OF_LABEL] === name && annotations[names.CERTIFICATE_UID_ANNOTATION] === uid;
}

export function isRequestOf({ metadata = {} }: RawObject, { id }: Pick<IssueRequest, 'id'>): boolean {
  return metadata.annotations?.[names.REQUEST_ANNOTATION] === id;
}

/** Whether a ConfigMap of ours is as it was made for this request, but for what a person may add. */
export function isForRequest(found: RawObject, request: Pick<CsrRequest, 'id' | 'csr'>): boolean {
  // No answer can be written into it any more.
  const isClosed = found.immutable === true && !hasAnswer(found);
  return isRequestOf(found, request) && !isClosed && isCsrOf(textAt(found, REQUEST_KEY), request);
}

/** Whether a person has put anything into it that is read. */
function hasAnswer(found: RawObject): boolean {
  return [CERTIFICATE_KEY, DENIED_KEY].some((key) => textAt(found, key).trim() !== '' || isBinaryAt(found, key));
}

/** Empty where there is no such key. */
export function textAt({ data = {} }: RawObject, key: string): string {
  return (Object.hasOwn(data, key) ? data[key] : undefined) ?? '';
}

/** Whether something is under this key that is no text: `kubectl create configmap --from-file` puts DER and UTF-16 there. */
export function isBinaryAt({ binaryData = {} }: RawObject, key: string): boolean {
  return Object.hasOwn(binaryData, key);
}

/** Keys that nothing reads, so that what a person has put there would be waited for in vain. */
export function unreadKeys({ data = {}, binaryData = {} }: RawObject): readonly string[] {
  return [...Object.keys(data), ...Object.keys(binaryData)].filter((key) => !READ_KEYS.includes(key));
}

/** As `sha256sum` prints it of the file. */
export function digestOf(csr: string): string {
  return hash('sha256', csr);
}

function identityText({ subject, names: alternative }: IssueRequest['identity']): string {
  const fields = SUBJECT_FIELDS.flatMap((field) => valuesOf(subject, field).map((value) => `${field}=${value}`));
  const further = NAME_FIELDS.flatMap((field) => alternative[field].map((value) => `${field}=${value}`));
  return readable([...fields, ...further].join(', '), LONGEST_IDENTITY);
}
