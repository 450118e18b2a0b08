import type { CertificateAuthority } from '../api/certificate-authority.ts';
import { FALLBACK_OF_LABEL } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { bundleOf } from '../pki/bundle.ts';
import { parseCertificates } from '../pki/certificate.ts';
import type { KeptTrust } from './fallback-trust.ts';
import { namesItself, readTexts, textsSecret, withOwnUid } from './texts-secret.ts';

type Owner = Pick<CertificateAuthority, 'kind' | 'name'>;
type Uid = Pick<CertificateAuthority, 'uid'>;

const MOST_BYTES = 1_048_576;

/** Where the trust is kept that an authority has by its fallback. */
export const FALLBACK_SECRET = textsSecret({ suffix: 'fallback', label: FALLBACK_OF_LABEL });

/**
 * Undefined where nothing was kept yet. Throws an Error for what this controller has not written: a Secret that was created
 * elsewhere, by a user or from a backup, can't name its own uid. What a former authority of the name kept says nothing of the CA
 * of this one; what it has of a fallback stays where a certificate needs it.
 */
export function readFallbackSecret(object: RawObject, { uid }: Uid): KeptTrust | undefined {
  const texts = readTexts(object);
  if (texts.size === 0) return undefined;
  if (!namesItself(object))
    throw new Error('it names another Secret as its own, or none: it is a copy, or was not written by Certwheel');
  const certificates = (key: string) => {
    const pem = texts.get(key) ?? '';
    return pem === '' ? [] : parseCertificates(pem, { maxBytes: MOST_BYTES });
  };
  const further = certificates('fallback.crt');
  if (texts.get('authority-uid') !== uid) return { name: '', own: [], further };
  return { name: texts.get('name') ?? '', own: certificates('own.crt'), further };
}

/** Equal trust is equal text. */
export function textsOf({ name, own, further }: KeptTrust): ReadonlyMap<string, string> {
  return new Map([
    ['name', name],
    ['own.crt', bundleOf(own).pem],
    ['fallback.crt', bundleOf(further).pem],
  ]);
}

/** The Secret as it is applied, on the condition that it still is `current`. */
export function fallbackManifest(owner: Owner & Uid, namespace: string, kept: KeptTrust, current: RawObject) {
  const texts = new Map([...textsOf(kept), ['authority-uid', owner.uid]]);
  return FALLBACK_SECRET.manifest(owner, namespace, withOwnUid(texts, current), current);
}
