import { hash } from 'node:crypto';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { SpiffeBundleSource } from '../api/generated/types.ts';
import { TRUST_SOURCES_OF_LABEL } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { readTexts, textsSecret } from '../authority/texts-secret.ts';
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

/** Where the bundles of an authority are kept. */
export const SOURCES_SECRET = textsSecret({ suffix: 'sources', label: TRUST_SOURCES_OF_LABEL });

export function readKeptTexts(object: RawObject): KeptTexts {
  return readTexts(object);
}

/** Whose bundle it is, and in which Secret. */
interface Keeper extends Pick<CertificateAuthority, 'uid'> {
  /** A Secret that was created elsewhere, by a user or from a backup, can't name its own uid. */
  readonly secretUid: string | undefined;
}

/** That of another authority, endpoint, server or Secret is none of ours. */
function identityOf({ uid, secretUid }: Keeper, source: SpiffeBundleSource): string {
  const { endpoint, trustDomain, profile, endpointSPIFFEID = '' } = source;
  const identity = [uid, secretUid, endpoint, trustDomain, profile, endpointSPIFFEID];
  return hash('sha256', JSON.stringify(identity), 'base64url');
}

/** A new bundle in the spec starts the trust in the server anew, such as after the loss of the partner's CA. */
export function bootstrapOf({ bundle = '' }: SpiffeBundleSource): string {
  return hash('sha256', bundle, 'base64url');
}

export function keptText(keeper: Keeper, source: SpiffeBundleSource, kept: KeptBundle): string {
  const pem = kept.certificates.map((each) => each.pem).join('');
  return JSON.stringify({ identity: identityOf(keeper, source), bootstrap: kept.bootstrap, pem });
}

/** Undefined for none, and for that of another source. Throws an Error for what Certwheel has not written. */
export function readKept(keeper: Keeper, source: SpiffeBundleSource, text: string | undefined): KeptBundle | undefined {
  if (text === undefined) return undefined;
  try {
    const { identity, bootstrap, pem } = JSON.parse(text) as Readonly<Record<string, string>>;
    if (identity !== identityOf(keeper, source)) return undefined;
    const certificates = parseCertificates(pem ?? '', { maxBytes: MOST_BYTES });
    if (certificates.length === 0) throw new Error('it holds no certificate');
    return { certificates, bootstrap: bootstrap ?? '' };
  } catch (error) {
    throw new Error(`the bundle that was kept can't be read: ${messageOf(error)}`);
  }
}

const MOST_BYTES = 1_048_576;
