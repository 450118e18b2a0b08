import type { RawObject } from '../../src/api/parse.ts';
import { parseCertificates } from '../../src/pki/certificate.ts';

/** The content of the three keys of a Secret. */
export function bytesOf(object: RawObject | undefined) {
  const text = (key: string) => Buffer.from(object?.data?.[key] ?? '', 'base64').toString('latin1');
  return { chain: parseCertificates(text('tls.crt'), { most: 10 }), key: text('tls.key'), trust: text('ca.crt') };
}

/** The Secret after another writer has changed it. */
export function foreignWrite(object: RawObject, change: Partial<RawObject>): RawObject {
  const { metadata, ...rest } = structuredClone({ ...object, ...change });
  return { ...rest, metadata: { ...metadata, resourceVersion: `9${metadata?.resourceVersion}` } };
}
