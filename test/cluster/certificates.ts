import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIPv4 } from 'node:net';

/**
 * Just enough X.509 for a throw-away cluster, written out in DER: no library, no openssl, and no limit of 64 bytes on
 * common names, which the user names of service accounts exceed.
 */
export interface Pair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface Issuer extends Pair {
  readonly name: Buffer;
  readonly key: KeyObject;
}

/** Encoded object identifiers, with tag and length. */
const oids = {
  commonName: '0603550403',
  organization: '060355040a',
  ecdsaWithSha256: '06082a8648ce3d040302',
  subjectKeyIdentifier: '0603551d0e',
  keyUsage: '0603551d0f',
  subjectAlternativeName: '0603551d11',
  basicConstraints: '0603551d13',
  authorityKeyIdentifier: '0603551d23',
  extendedKeyUsage: '0603551d25',
  serverAuth: '06082b06010505070301',
  clientAuth: '06082b06010505070302',
} as const;

const tags = { bitString: 0x03, octetString: 0x04, utf8: 0x0c, utcTime: 0x17, sequence: 0x30, set: 0x31 } as const;
const digitalSignature = '03020780';
const caUsages = '03020186';
const hourMs = 3_600_000;
/** The CA outlives what the signer of kube-controller-manager grants at most, a year, however long the cluster runs. */
const lifetimeMs = 10 * 365 * 24 * hourMs;

/** Of the CA that signs for a throw-away cluster. */
export const ISSUER_NAME = 'certwheel-test-cluster';

/** The CA of a cluster that runs already, from its files. */
export function issuerFrom(certificatePem: string, keyPem: string): Issuer {
  return { certificatePem, keyPem, name: name(ISSUER_NAME, []), key: createPrivateKey(keyPem) };
}

export function createIssuer(commonName: string): Issuer {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = name(commonName, []);
  const certificatePem = certificate(subject, publicKey, { name: subject, key }, [
    extension(oids.basicConstraints, sequence(Buffer.from('0101ff', 'hex')), true),
    extension(oids.keyUsage, Buffer.from(caUsages, 'hex'), true),
  ]);
  return { certificatePem, keyPem: pkcs8(key), name: subject, key };
}

export function issueClient(issuer: Issuer, user: string, groups: readonly string[]): Pair {
  return issueLeaf(issuer, name(user, groups), oids.clientAuth, []);
}

export function issueServer(issuer: Issuer, hosts: readonly string[]): Pair {
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  );
  const alternatives = extension(oids.subjectAlternativeName, sequence(...names));
  return issueLeaf(issuer, name(hosts[0] ?? '', []), oids.serverAuth, [alternatives]);
}

/** For service account tokens: private key, and the public key that verifies them. */
export function createSigningKey(): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privatePem: pkcs8(privateKey), publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

function issueLeaf(issuer: Issuer, subject: Buffer, usage: string, extra: readonly Buffer[]): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificatePem = certificate(subject, publicKey, issuer, [
    extension(oids.keyUsage, Buffer.from(digitalSignature, 'hex'), true),
    extension(oids.extendedKeyUsage, sequence(Buffer.from(usage, 'hex'))),
    ...extra,
  ]);
  return { certificatePem, keyPem: pkcs8(privateKey) };
}

function certificate(
  subject: Buffer,
  publicKey: KeyObject,
  issuer: Pick<Issuer, 'name' | 'key'>,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(Buffer.from(oids.ecdsaWithSha256, 'hex'));
  const issuerKeyId = der(0x80, keyId(createPublicKey(issuer.key)));
  const now = Date.now();
  const body = sequence(
    Buffer.from('a003020102', 'hex'), // version 3
    der(0x02, serial()),
    algorithm,
    issuer.name,
    sequence(utcTime(now - hourMs), utcTime(now + lifetimeMs)),
    subject,
    spki(publicKey),
    der(
      0xa3,
      sequence(
        ...extensions,
        extension(oids.subjectKeyIdentifier, der(tags.octetString, keyId(publicKey))),
        extension(oids.authorityKeyIdentifier, sequence(issuerKeyId)),
      ),
    ),
  );
  const signature = sign('sha256', body, issuer.key);
  const whole = sequence(body, algorithm, der(tags.bitString, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function serial(): Buffer {
  const bytes = randomBytes(16);
  // Positive and without a leading zero byte, as DER asks of an integer.
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes;
}

function name(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) =>
    der(tags.set, sequence(Buffer.from(type, 'hex'), der(tags.utf8, Buffer.from(value))));
  const groups = organizations.map((organization) => attribute(oids.organization, organization));
  return sequence(...groups, attribute(oids.commonName, commonName));
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  const flag = Buffer.from(critical ? '0101ff' : '', 'hex');
  return sequence(Buffer.from(type, 'hex'), flag, der(tags.octetString, value));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '');
  return der(tags.utcTime, Buffer.from(`${digits.slice(2, 14)}Z`));
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(tags.sequence, ...parts);

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) {
    return Buffer.concat([Buffer.from([tag, length]), content]);
  }
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const keyId = (publicKey: KeyObject): Buffer => createHash('sha1').update(spki(publicKey)).digest();

const spki = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' });

const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
