import { hash, type KeyObject } from 'node:crypto';
import type { CertificateSpec, ClientCertificate } from '../api/client-certificate.ts';
import type { CsrSource } from '../api/csr-source.ts';
import type { RawObject } from '../api/parse.ts';
import { ApiError, RetryableError } from '../errors.ts';
import { MAX_CSR_BYTES, type ReadCsr, readCsr } from '../pki/read-csr.ts';
import { RecentlyUsed } from '../recently-used.ts';
import { messageOf } from '../thrown.ts';
import { fileOf } from './secret/outputs.ts';

/** An object of the certificate's own namespace that holds a request. */
export type RequestPlace = Exclude<CsrSource, { readonly kind: 'inline' }>;

type ReadObject = (kind: RequestPlace['kind'], namespace: string, name: string) => Promise<RawObject | undefined>;

/** The object that a certificate refers to for its request, in a list; an empty one where there is none. */
export function requestPlacesOf({ csr }: Pick<CertificateSpec, 'csr'>): readonly RequestPlace[] {
  return csr === undefined || csr.kind === 'inline' ? [] : [csr];
}

/** Where the request of a certificate is, for messages. */
export function whereIs(source: CsrSource, namespace: string): string {
  return source.kind === 'inline' ? 'spec.csr.inline' : `${source.kind} ${namespace}/${source.name}, key ${source.key}`;
}

/**
 * The certificate with the request of its client, and with the kind of that key as its own; the same object where Certwheel
 * makes the key. What can't be read is a problem that the spec carries.
 */
export async function withRequest(resource: ClientCertificate, readObject: ReadObject): Promise<ClientCertificate> {
  const { csr } = resource.spec;
  if (csr === undefined) return resource;
  const request = await read(csr, resource, readObject);
  const key = 'problem' in request ? resource.spec.key : request.keySpec;
  return { ...resource, spec: { ...resource.spec, request, key } };
}

/** The request of the client, once it is read and could be; undefined where there is none. */
export function requestOf({ request }: Pick<CertificateSpec, 'request'>): ReadCsr | undefined {
  return request === undefined || 'problem' in request ? undefined : request;
}

/** The key over which the certificate is issued. Throws where the request could not be read, of which nothing is issued. */
export function publicKeyOf(spec: Pick<CertificateSpec, 'request'>): KeyObject {
  const request = requestOf(spec);
  if (request === undefined) throw new RetryableError('CSRUnusable', 'the certificate request is not read yet');
  return request.publicKey;
}

async function read(
  source: CsrSource,
  { namespace }: ClientCertificate,
  readObject: ReadObject,
): Promise<NonNullable<CertificateSpec['request']>> {
  if (source.kind === 'inline') return parsed(source.pem, whereIs(source, namespace));
  const place = `${source.kind} ${namespace}/${source.name}`;
  const object = await readObject(source.kind, namespace, source.name).catch((error: unknown) => {
    if (source.kind === 'ConfigMap' && error instanceof ApiError && error.status === 403) return error;
    throw error;
  });
  if (object instanceof ApiError)
    return {
      problem: `Certwheel may not read ${place}: ${object.message}; set clientRequests.configMaps of the chart, or put the request into a Secret`,
    };
  if (object === undefined)
    return { problem: `${place} does not exist; create it, for example: ${createCommand(source, namespace)}` };
  // A file that is no UTF-8, such as DER.
  if (source.kind === 'ConfigMap' && fileOf(object.binaryData, source.key) !== undefined)
    return {
      problem: `${whereIs(source, namespace)}: it is not text; write it in PEM with: openssl req -inform DER -in FILE -out client.csr; ${replaceCommand(source, namespace)}`,
    };
  const text = textIn(object, source);
  if (text === undefined)
    return {
      problem: `${place} has no key ${source.key}; write it, for example: ${replaceCommand(source, namespace)}`,
    };
  return parsed(text, whereIs(source, namespace));
}

function textIn({ data }: RawObject, { kind, key }: RequestPlace): string | undefined {
  const value = fileOf(data, key);
  return value === undefined || kind === 'ConfigMap' ? value : Buffer.from(value, 'base64').toString('latin1');
}

/** By a hash of the text: a certificate is reconciled often, and to verify a signature may take a millisecond. */
const known = new RecentlyUsed<NonNullable<CertificateSpec['request']>>({ most: 2_000, mostWeight: 8_000_000 });

function parsed(text: string, place: string): NonNullable<CertificateSpec['request']> {
  if (text.length > MAX_CSR_BYTES)
    return { problem: `${place}: ${text.length} bytes, where at most ${MAX_CSR_BYTES} are read` };
  const id = hash('sha256', text, 'base64');
  const found = known.get(id) ?? attempt(text);
  known.set(id, found, text.length);
  return 'problem' in found ? { problem: `${place}: ${found.problem}` } : found;
}

function attempt(text: string): NonNullable<CertificateSpec['request']> {
  try {
    return readCsr(text);
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function createCommand({ kind, name, key }: RequestPlace, namespace: string): string {
  const what = kind === 'ConfigMap' ? 'configmap' : 'secret generic';
  return `kubectl create ${what} -n ${namespace} ${name} --from-file=${key}=client.csr`;
}

/** Leaves the other keys of the object as they are. */
function replaceCommand(place: RequestPlace, namespace: string): string {
  return `${createCommand(place, namespace)} --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -`;
}
