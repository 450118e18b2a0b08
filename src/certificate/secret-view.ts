import * as names from '../api/names.ts';
import { parseMeta, type RawObject } from '../api/parse.ts';
import { shared } from '../api/shared.ts';
import { hashOfBundle } from '../pki/bundle.ts';
import type { KeyEncoding, KeySpec } from '../pki/keys.ts';
import { type CanonicalIdentity, canonicalIdentity } from './identity.ts';
import { readSecretContent, type SecretContent, SecretContentError } from './secret-content.ts';
import { readMemory, type SecretMemory } from './secret-memory.ts';

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
  readonly memory: SecretMemory;
}

/**
 * Reduces a Secret on arrival; its private key is looked at once, and dropped. `known` is what its data is known to hold,
 * and saves the proof.
 */
export function viewSecret(object: RawObject, known?: SecretContent): SecretView {
  const { namespace, name, uid, resourceVersion } = parseMeta(object);
  const { labels = {}, annotations = {}, ownerReferences = [] } = object.metadata ?? {};
  const owner = ownerOf(labels, annotations);
  const { certificate, problem } = viewContent(object.data, known);
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    type: shared(object.type ?? ''),
    owner,
    adoptBy: annotations[names.ADOPT_ANNOTATION],
    // The same text of the same uid is kept once.
    ownerReferences: ownerReferences.map(({ uid }) => (uid === owner?.certificateUid ? owner.certificateUid : uid)),
    certificate,
    problem,
    trustBundleHash: shared(hashOfBundle(Buffer.from(object.data?.['ca.crt'] ?? '', 'base64').toString('latin1'))),
    labels: shared(withoutOurs(labels)),
    annotations: shared(withoutOurs(annotations)),
    memory: readMemory(annotations),
  };
}

function viewContent(
  data: RawObject['data'],
  known: SecretContent | undefined,
): Pick<SecretView, 'certificate' | 'problem'> {
  try {
    return { certificate: new Facts(known ?? readSecretContent(data)), problem: undefined };
  } catch (error) {
    if (error instanceof SecretContentError) return { certificate: undefined, problem: error.message };
    throw error;
  }
}

class Facts implements CertificateFacts {
  readonly serialNumber: string;
  readonly fingerprintSHA256: string;
  readonly publicKeyPinSHA256: string;
  readonly identity: CanonicalIdentity;
  readonly key: KeySpec | undefined;
  readonly keyEncoding: KeyEncoding;
  readonly issuerFingerprint: string;
  readonly anchorFingerprint: string;
  // A Date takes ten times the memory of its number.
  readonly #notBeforeMs: number;
  readonly #notAfterMs: number;

  constructor({ leaf, issuer, anchor, keyEncoding }: SecretContent) {
    this.serialNumber = leaf.serialNumber;
    this.fingerprintSHA256 = leaf.fingerprintSHA256;
    this.publicKeyPinSHA256 = leaf.publicKeyPin;
    this.identity = canonicalIdentity(leaf);
    this.key = shared(leaf.keySpec);
    this.keyEncoding = keyEncoding;
    this.issuerFingerprint = issuer.fingerprintSHA256;
    this.anchorFingerprint = anchor.fingerprintSHA256;
    this.#notBeforeMs = leaf.notBefore.getTime();
    this.#notAfterMs = leaf.notAfter.getTime();
  }

  get notBefore(): Date {
    return new Date(this.#notBeforeMs);
  }

  get notAfter(): Date {
    return new Date(this.#notAfterMs);
  }
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

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});

function withoutOurs(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const foreign = Object.entries(entries).filter(
    ([key]) => !key.startsWith(`${names.GROUP}/`) && key !== names.KUBECTL_LAST_APPLIED,
  );
  return foreign.length === 0 ? NOTHING : Object.fromEntries(foreign);
}
