import { hash } from 'node:crypto';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { SpiffeBundleSource } from '../api/generated/types.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { isTextsSecret, type Purpose, readTexts, textsManifest, textsSecretName } from '../authority/texts-secret.ts';
import { type CertificateView, parseCertificates } from '../pki/certificate.ts';
import { messageOf } from '../thrown.ts';

/** The bundle that an endpoint served last, as it outlives a restart. */
export interface KeptBundle {
  readonly certificates: readonly CertificateView[];
  /** See bootstrapOf: with another one in the spec, these certificates no longer verify the server. */
  readonly bootstrap: string;
}

/** By the name of the source, as texts. */
export type KeptTexts = ReadonlyMap<string, string>;

type Owner = Pick<CertificateAuthority, 'kind' | 'name' | 'uid'>;

const SOURCES: Purpose = { suffix: 'sources', label: names.TRUST_SOURCES_OF_LABEL };

/** Where the bundles of an authority are kept: `<authority>-ca-sources`, `<authority>-clusterca-sources` for the cluster kind. */
export function keptSecretName(owner: Pick<Owner, 'kind' | 'name'>): string {
  return textsSecretName(owner, SOURCES);
}

/** Whether a Secret of that name is the one that keeps the bundles of this authority. */
export function isKeptSecret(object: RawObject, owner: Pick<Owner, 'kind' | 'name'>): boolean {
  return isTextsSecret(object, owner, SOURCES);
}

export function readKeptTexts(object: RawObject): KeptTexts {
  return readTexts(object);
}

/** Whose bundle it is: that of another authority, endpoint or server is none of ours. */
function identityOf({ uid }: Pick<Owner, 'uid'>, source: SpiffeBundleSource): string {
  const { endpoint, trustDomain, profile, endpointSPIFFEID = '' } = source;
  return hash('sha256', JSON.stringify([uid, endpoint, trustDomain, profile, endpointSPIFFEID]), 'base64url');
}

/** A new bundle in the spec starts the trust in the server anew, such as after the loss of the partner's CA. */
export function bootstrapOf({ bundle = '' }: SpiffeBundleSource): string {
  return hash('sha256', bundle, 'base64url');
}

export function keptText(owner: Pick<Owner, 'uid'>, source: SpiffeBundleSource, kept: KeptBundle): string {
  const pem = kept.certificates.map((each) => each.pem).join('');
  return JSON.stringify({ identity: identityOf(owner, source), bootstrap: kept.bootstrap, pem });
}

/** Undefined for none, and for that of another source. Throws an Error for what Certwheel has not written. */
export function readKept(
  owner: Pick<Owner, 'uid'>,
  source: SpiffeBundleSource,
  text: string | undefined,
): KeptBundle | undefined {
  if (text === undefined) return undefined;
  try {
    const { identity, bootstrap, pem } = JSON.parse(text) as Readonly<Record<string, string>>;
    if (identity !== identityOf(owner, source)) return undefined;
    const certificates = parseCertificates(pem ?? '', { maxBytes: MOST_BYTES });
    if (certificates.length === 0) throw new Error('it holds no certificate');
    return { certificates, bootstrap: bootstrap ?? '' };
  } catch (error) {
    throw new Error(`the bundle that was kept can't be read: ${messageOf(error)}`);
  }
}

const MOST_BYTES = 1_048_576;

/** The Secret as it is applied, on the condition that it still is `current`, or that there is none. */
export function keptManifest(owner: Owner, namespace: string, texts: KeptTexts, current: RawObject | undefined) {
  return textsManifest(owner, SOURCES, namespace, texts, current);
}
