import { type CanonicalIdentity, canonicalIdentity, DIGEST_BYTES } from '../../api/canonical-identity.ts';
import { fromSeconds, toSeconds } from '../../api/moments.ts';
import { shared } from '../../api/shared.ts';
import { caKeyId } from '../../pki/ca.ts';
import type { KeyEncoding, KeySpec } from '../../pki/keys.ts';
import type { SecretContent } from './read-content.ts';

/** What is remembered of a certificate: small, since there is one for every ClientCertificate. */
export interface CertificateFacts {
  readonly serialNumber: string;
  readonly fingerprintSHA256: string;
  readonly publicKeyPinSHA256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly identity: CanonicalIdentity;
  readonly key: KeySpec | undefined;
  /** See SecretContent. */
  readonly keyEncoding: KeyEncoding | undefined;
  /** The CA certificate that signed it, and those of `ca.crt` to which its chain leads. */
  readonly issuerFingerprint: string;
  /** See caKeyId; that of the issuer. */
  readonly issuerKeyId: string;
  readonly anchorFingerprints: readonly string[];
  /** See SecretContent. */
  readonly issuersId: string;
}

/** The facts of what a Secret holds. */
export function factsOf(content: SecretContent): CertificateFacts {
  return new Facts(content);
}

class Facts implements CertificateFacts {
  readonly key: KeySpec | undefined;
  /** See SecretContent. */
  readonly keyEncoding: KeyEncoding | undefined;
  readonly issuerFingerprint: string;
  readonly issuerKeyId: string;
  readonly anchorFingerprints: readonly string[];
  readonly issuersId: string;
  /** Fingerprint, pin, subject, names and serial number as bytes, a character each: as hex they take twice as much. */
  readonly #digests: string;
  readonly #usages: string;
  // A Date takes ten times the memory of its number.
  readonly #notBefore: number;
  readonly #notAfter: number;

  constructor({ leaf, issuer, anchors, issuersId, keyEncoding }: SecretContent) {
    const { subject, names, usages } = canonicalIdentity(leaf);
    this.#usages = usages;
    this.key = shared(leaf.keySpec);
    this.keyEncoding = keyEncoding;
    this.issuerFingerprint = issuer.fingerprintSHA256;
    this.issuerKeyId = shared(caKeyId(issuer));
    this.anchorFingerprints = shared(anchors.map(({ fingerprintSHA256 }) => fingerprintSHA256));
    this.issuersId = shared(issuersId);
    this.#digests = Buffer.concat([
      Buffer.from(leaf.fingerprintSHA256, 'hex'),
      Buffer.from(leaf.publicKeyPin, 'base64'),
      Buffer.from(subject, 'base64'),
      Buffer.from(names, 'base64'),
      Buffer.from(leaf.serialNumber, 'hex'),
    ]).toString('latin1');
    this.#notBefore = toSeconds(leaf.notBefore);
    this.#notAfter = toSeconds(leaf.notAfter);
  }

  get fingerprintSHA256(): string {
    return this.#bytes(0, PIN_AT).toString('hex');
  }

  get publicKeyPinSHA256(): string {
    return this.#bytes(PIN_AT, SUBJECT_AT).toString('base64');
  }

  get identity(): CanonicalIdentity {
    return {
      subject: this.#bytes(SUBJECT_AT, NAMES_AT).toString('base64'),
      names: this.#bytes(NAMES_AT, SERIAL_AT).toString('base64'),
      usages: this.#usages,
    };
  }

  get serialNumber(): string {
    return this.#bytes(SERIAL_AT).toString('hex');
  }

  get notBefore(): Date {
    return fromSeconds(this.#notBefore);
  }

  get notAfter(): Date {
    return fromSeconds(this.#notAfter);
  }

  #bytes(from: number, to?: number): Buffer {
    return Buffer.from(this.#digests.slice(from, to), 'latin1');
  }
}

const SHA256_BYTES = 32;

const PIN_AT = SHA256_BYTES;
const SUBJECT_AT = PIN_AT + SHA256_BYTES;
const NAMES_AT = SUBJECT_AT + DIGEST_BYTES;
const SERIAL_AT = NAMES_AT + DIGEST_BYTES;
