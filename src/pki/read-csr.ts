import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { children, type Element, expectTag, readBytesOfBits, readElement, readOid } from './asn1/read.ts';
import { TAG } from './asn1/write.ts';
import { CSR_LABEL } from './csr.ts';
import { type Extensions, readExtensions } from './extensions.ts';
import {
  type KeySpec,
  keySpecOfPublicKey,
  MAX_RSA_BITS,
  MIN_RSA_BITS,
  MIN_RSA_EXPONENT,
  publicKeyDer,
  publicKeyPin,
  rsaExponent,
} from './keys.ts';
import { decodeName, type Subject } from './name.ts';
import { EncryptedPemError, type PemBlock, parsePem } from './pem.ts';
import { isWeakSignature, signatureName, verifyBytes } from './signature.ts';

/** A certificate request that was made elsewhere. Its signature is verified: who made it had the private key. */
export interface ReadCsr extends Pick<Extensions, 'names' | 'foreignNames' | 'isCA' | 'usages'> {
  readonly der: Buffer;
  readonly subject: Subject;
  /** Attributes of the subject that Subject has no place for, as `type=value`. */
  readonly foreignAttributes: readonly string[];
  /**
   * What else it asks for: extensions and attributes that a CA may copy into a certificate or obey, whatever they mean there, as
   * `extension 1.2.3`.
   */
  readonly furtherWishes: readonly string[];
  readonly publicKey: KeyObject;
  /** See CertificateView. */
  readonly publicKeyPin: string;
  readonly keySpec: KeySpec;
  /** Lower-case hex of the SHA-256 of `der`. */
  readonly fingerprintSHA256: string;
}

/** A hundred long names and an RSA key of 4096 bits stay below. */
export const MAX_CSR_BYTES = 32_768;

/** RFC 7468 section 7 wants the second one to be read too. */
const LABELS: readonly string[] = [CSR_LABEL, 'NEW CERTIFICATE REQUEST'];
const MAKE = 'make another one, for example: openssl req -new -key client.key -subj /CN=client -out client.csr';

/**
 * Reads one PKCS#10 request (RFC 2986) in PEM and verifies its signature. The key is held to the same bounds as those that
 * Certwheel makes. Throws an Error whose message says what is wrong and quotes nothing of the text.
 */
export function readCsr(pem: string): ReadCsr {
  return parseCsr(onlyBlock(pem).der);
}

function onlyBlock(pem: string): PemBlock {
  const blocks = blocksOf(pem);
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY')))
    throw new Error('it holds a private key, which belongs to the client alone: put nothing but the request there');
  const [block, ...more] = blocks;
  if (block === undefined) throw new Error(`it has no PEM block ${CSR_LABEL}; ${MAKE}`);
  if (more.length > 0) throw new Error(`it has ${blocks.length} PEM blocks, where one request belongs`);
  if (!LABELS.includes(block.label)) throw new Error(`${block.label} where a ${CSR_LABEL} belongs`);
  return block;
}

function blocksOf(pem: string): readonly PemBlock[] {
  try {
    // `openssl req -text` writes the request as text in front of it.
    return parsePem(pem, { strict: false, maxBytes: MAX_CSR_BYTES });
  } catch (error) {
    if (error instanceof EncryptedPemError) return [{ label: 'ENCRYPTED PRIVATE KEY', der: Buffer.alloc(0) }];
    throw error;
  }
}

function parseCsr(der: Buffer): ReadCsr {
  const [info, algorithm, signature, ...more] = children(readElement(der, TAG.sequence, 'request'));
  if (more.length > 0) throw new Error('a request of more than three parts');
  const [version, subject, spki, ...rest] = children(expectTag(info, TAG.sequence, 'CertificationRequestInfo'));
  if (!expectTag(version, TAG.integer, 'version').content.equals(VERSION_1))
    throw new Error('a request of another version than 1');
  const name = decodeName(expectTag(subject, TAG.sequence, 'subject').bytes);
  const { publicKey, keySpec } = readKey(expectTag(spki, TAG.sequence, 'public key').bytes);
  prove(expectTag(info, TAG.sequence, 'CertificationRequestInfo'), algorithm, signature, publicKey);
  const attributes = attributesIn(rest);
  const list = extensionsIn(attributes);
  const { names, foreignNames, isCA, usages } = readExtensions(list);
  return {
    der,
    subject: name.subject,
    foreignAttributes: name.foreign,
    names,
    foreignNames,
    isCA,
    usages,
    furtherWishes: furtherWishes(attributes, list),
    publicKey,
    publicKeyPin: publicKeyPin(publicKeyDer(publicKey)),
    keySpec,
    fingerprintSHA256: hash('sha256', der, 'hex'),
  };
}

const VERSION_1 = Buffer.from([0]);

/** Bounded before OpenSSL reads it: the sender chooses it, and so how long its signature takes to verify. */
function readKey(spki: Buffer): { readonly publicKey: KeyObject; readonly keySpec: KeySpec } {
  const keySpec = keySpecOfPublicKey(spki);
  if (keySpec === undefined)
    throw new Error('a key of an unsupported kind; ECDSA with P-256, P-384 or P-521, Ed25519 and RSA are supported');
  if (keySpec.algorithm === 'RSA') {
    const { size } = keySpec;
    if (size < MIN_RSA_BITS || size > MAX_RSA_BITS)
      throw new Error(`an RSA key of ${size} bits; sizes from ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are possible`);
    const exponent = rsaExponent(spki);
    if (exponent < MIN_RSA_EXPONENT || exponent % 2n === 0n)
      throw new Error(`an RSA key with the public exponent ${exponent}; an odd one from ${MIN_RSA_EXPONENT} is needed`);
  }
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new Error('its public key is unreadable');
  }
  // Go reads no compressed points (crypto/x509 takes what RFC 5480 section 2.2 demands), and a CA may write a key in its usual
  // form, which would look like another one.
  if ((keySpec.algorithm === 'ECDSA' && pointForm(spki) !== UNCOMPRESSED) || !publicKeyDer(publicKey).equals(spki))
    throw new Error(
      'its public key is not in the usual form, such as a compressed point; write it with: openssl ec -conv_form uncompressed -in client.key -out client.key',
    );
  return { publicKey, keySpec };
}

const UNCOMPRESSED = 4;

function pointForm(spki: Buffer): number | undefined {
  const [, bits] = children(readElement(spki, TAG.sequence, 'public key'));
  return readBytesOfBits(bits, 'public key bits')[0];
}

/** Throws unless the private key to `publicKey` has signed `info`. */
function prove(info: Element, algorithm: Element | undefined, signature: Element | undefined, publicKey: KeyObject) {
  const identifier = expectTag(algorithm, TAG.sequence, 'signature algorithm');
  const name = signatureName(identifier.bytes);
  if (name === undefined)
    throw new Error(
      `its signature has the algorithm ${readOid(children(identifier)[0], 'signature algorithm')}, which is not supported; ${MAKE}`,
    );
  if (isWeakSignature(name)) throw new Error(`its signature has the broken algorithm ${name}; ${MAKE}`);
  if (!verifyBytes(name, info.bytes, publicKey, readBytesOfBits(signature, 'signature')))
    throw new Error(`its signature was not made with its own key, or it was changed since; ${MAKE}`);
}

/** PKCS#9's attribute (RFC 2985 section 5.4.2), and the one of Microsoft that means the same and that OpenSSL reads too. */
const EXTENSION_REQUESTS: readonly string[] = ['1.2.840.113549.1.9.14', '1.3.6.1.4.1.311.2.1.14'];
const ATTRIBUTES_TAG = 0xa0;

interface Attribute {
  readonly type: string;
  readonly values: Element | undefined;
}

function attributesIn([attributes, ...more]: readonly Element[]): readonly Attribute[] {
  if (attributes === undefined) return [];
  if (more.length > 0) throw new Error('a request with fields after its attributes');
  return children(expectTag(attributes, ATTRIBUTES_TAG, 'attributes')).map((attribute) => {
    const [type, values] = children(expectTag(attribute, TAG.sequence, 'attribute'));
    return { type: readOid(type, 'attribute type'), values };
  });
}

/** Of two lists each reader might believe another one. */
function extensionsIn(attributes: readonly Attribute[]): Element | undefined {
  const found = attributes.flatMap(({ type, values }) =>
    EXTENSION_REQUESTS.includes(type) ? children(expectTag(values, TAG.set, 'attribute values')) : [],
  );
  if (found.length > 1) throw new Error('a request with more than one list of extensions');
  return found[0];
}

/** Key id, key usage, names, basic constraints and extended key usage: what they ask for is in ReadCsr, or harms nobody. */
const READ_EXTENSIONS: readonly string[] = ['2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37'];
/** Microsoft's pairs of name and value, by which a request chooses a template, or further names, at its CAs. */
const NAME_VALUE_PAIRS = '1.3.6.1.4.1.311.13.2.1';

function furtherWishes(attributes: readonly Attribute[], list: Element | undefined): readonly string[] {
  const extensions = list === undefined ? [] : children(list).map((each) => readOid(children(each)[0], 'extension id'));
  return [
    ...extensions.filter((dotted) => !READ_EXTENSIONS.includes(dotted)).map((dotted) => `extension ${dotted}`),
    ...(attributes.some(({ type }) => type === NAME_VALUE_PAIRS) ? [`attribute ${NAME_VALUE_PAIRS}`] : []),
  ];
}
