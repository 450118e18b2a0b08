import { parseRfc3339 } from '../api/conditions.ts';
import { parseDuration } from '../api/duration.ts';
import * as names from '../api/names.ts';
import { parseMeta, type RawObject } from '../api/parse.ts';
import { hashOfBundle } from '../pki/bundle.ts';
import type { KeyEncoding, KeySpec } from '../pki/keys.ts';
import { type CanonicalIdentity, canonicalIdentity } from './identity.ts';
import { readSecretContent, type SecretContent, SecretContentError } from './secret-content.ts';

/** A serial that a Secret held, and until when it is good. */
export interface PastSerial {
  readonly serialNumber: string;
  readonly notAfter: Date;
}

/** What is remembered of a certificate: small, since there is one for every ClientCertificate. */
export interface CertificateFacts {
  readonly serialNumber: string;
  readonly fingerprintSHA256: string;
  readonly publicKeyPinSHA256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly identity: CanonicalIdentity;
  readonly key: KeySpec | undefined;
  readonly keyEncoding: KeyEncoding;
  /** The CA certificate that signed it, and the one of `ca.crt` at which its chain ends. */
  readonly issuerFingerprint: string;
  readonly anchorFingerprint: string;
}

/** A Secret as a reconcile sees it: no key in it, and no bytes that nobody asks for. */
export interface SecretView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  /** Whose it is by its label and its annotation; undefined unless it carries both. */
  readonly owner: { readonly certificateName: string; readonly certificateUid: string } | undefined;
  /** The ClientCertificate to which a person handed it. */
  readonly adoptBy: string | undefined;
  readonly ownerReferences: readonly string[];
  /** Either a certificate that goes with its key and its CA, or the sentence that says what is wrong. */
  readonly certificate: CertificateFacts | undefined;
  readonly problem: string | undefined;
  readonly trustBundleHash: string;
  /** Labels and annotations that are not Certwheel's own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What must outlive status; see the annotations of that name. */
  readonly memory: SecretMemory;
}

export interface SecretMemory {
  readonly revision: number;
  readonly authority: string | undefined;
  readonly authorityGeneration: number | undefined;
  readonly requestedDurationMs: number | undefined;
  readonly issuedAt: Date | undefined;
  readonly serials: readonly PastSerial[];
  readonly templateKeys: string;
  readonly externalId: string | undefined;
}

/** Reduces a Secret on arrival; its private key is looked at once, and dropped. */
export function viewSecret(object: RawObject): SecretView {
  const { namespace, name, uid, resourceVersion } = parseMeta(object);
  const { labels = {}, annotations = {}, ownerReferences = [] } = object.metadata ?? {};
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    type: object.type ?? '',
    owner: ownerOf(labels, annotations),
    adoptBy: annotations[names.ADOPT_ANNOTATION],
    ownerReferences: ownerReferences.map((reference) => reference.uid),
    ...viewContent(object.data),
    trustBundleHash: hashOfBundle(Buffer.from(object.data?.['ca.crt'] ?? '', 'base64').toString('latin1')),
    labels: withoutOurs(labels),
    annotations: withoutOurs(annotations),
    memory: readMemory(annotations),
  };
}

function viewContent(data: RawObject['data']): Pick<SecretView, 'certificate' | 'problem'> {
  try {
    return { certificate: factsOf(readSecretContent(data)), problem: undefined };
  } catch (error) {
    if (error instanceof SecretContentError) return { certificate: undefined, problem: error.message };
    throw error;
  }
}

function factsOf({ leaf, issuer, anchor, keyEncoding }: SecretContent): CertificateFacts {
  return {
    serialNumber: leaf.serialNumber,
    fingerprintSHA256: leaf.fingerprintSHA256,
    publicKeyPinSHA256: leaf.publicKeyPin,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
    identity: canonicalIdentity(leaf),
    key: leaf.keySpec,
    keyEncoding,
    issuerFingerprint: issuer.fingerprintSHA256,
    anchorFingerprint: anchor.fingerprintSHA256,
  };
}

function ownerOf(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): SecretView['owner'] {
  const certificateName = labels[names.CERTIFICATE_NAME_LABEL];
  const certificateUid = annotations[names.CERTIFICATE_UID_ANNOTATION];
  return certificateName === undefined || certificateUid === undefined
    ? undefined
    : { certificateName, certificateUid };
}

function readMemory(annotations: Readonly<Record<string, string>>): SecretMemory {
  return {
    revision: countOf(annotations[names.REVISION_ANNOTATION]) ?? 0,
    authority: annotations[names.AUTHORITY_ANNOTATION],
    authorityGeneration: countOf(annotations[names.AUTHORITY_GENERATION_ANNOTATION]),
    requestedDurationMs: parseDuration(annotations[names.REQUESTED_DURATION_ANNOTATION] ?? ''),
    issuedAt: parseRfc3339(annotations[names.ISSUED_AT_ANNOTATION]),
    serials: readSerials(annotations[names.SERIALS_ANNOTATION] ?? ''),
    templateKeys: annotations[names.TEMPLATE_KEYS_ANNOTATION] ?? '',
    externalId: annotations[names.EXTERNAL_ID_ANNOTATION],
  };
}

/** From 1; undefined for anything else, so that a damaged annotation never gets into status, which would be refused. */
function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** `<serial>=<notAfter>`, newest first, separated by commas. */
function readSerials(text: string): PastSerial[] {
  return text.split(',').flatMap((entry) => {
    const [serialNumber = '', end] = entry.split('=');
    const notAfter = parseRfc3339(end);
    return notAfter === undefined ? [] : [{ serialNumber, notAfter }];
  });
}

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});

function withoutOurs(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const foreign = Object.entries(entries).filter(
    ([key]) => !key.startsWith(`${names.GROUP}/`) && key !== names.KUBECTL_LAST_APPLIED,
  );
  return foreign.length === 0 ? NOTHING : Object.fromEntries(foreign);
}
