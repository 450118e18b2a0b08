import { randomBytes } from 'node:crypto';
import { validity } from '../../backends/shared/own-ca.ts';
import type { CaPath } from '../../pki/ca.ts';
import { type CertificateView, parseCertificate } from '../../pki/certificate.ts';
import { policiesToCopy } from '../../pki/constraints/constraints.ts';
import { signLeaf } from '../../pki/issue.ts';
import { generateKey, publicKeyDer, publicKeyPin } from '../../pki/keys.ts';
import { markedSerial } from '../../pki/marked-serial.ts';
import { OCSP_IDENTITY } from '../../pki/ocsp-delegation.ts';
import { NO_CHECK } from '../../pki/ocsp-response.ts';
import { rulesOf } from '../../pki/path-rules.ts';
import type { Signer } from '../../pki/signer.ts';
import { type OcspFiles, type OcspKey, ocspFiles } from './ocsp-files.ts';

/** Each client verifies it, and each reads ECDSA P-256. */
const KEY = { algorithm: 'ECDSA', size: 256 } as const;

/** When the key for OCSP answers is to be replaced: at half of the life of its certificate. A moment in the past means now. */
export function ocspKeyDue(key: OcspKey | undefined, ca: CertificateView, serialKey: Buffer, now: Date): Date {
  if (key === undefined || key.ca.fingerprintSHA256 !== ca.fingerprintSHA256 || !key.serialKey.equals(serialKey))
    return now;
  const { notBefore, notAfter } = key.certificate;
  if (notBefore > now) return now;
  // What ends with its CA can't be replaced by anything that lives longer.
  if (notAfter >= ca.notAfter) return notAfter;
  return new Date((notBefore.getTime() + notAfter.getTime()) / 2);
}

interface OcspKeyRequest {
  readonly path: CaPath;
  readonly signer: Signer;
  readonly serialKey: Buffer;
  readonly lifetimeMs: number;
  readonly now: Date;
  /** Called before the signature exists, so that none can exist that the audit log doesn't know of. */
  onSign?(signing: OcspSigning): void;
}

/** What is about to be signed. */
export interface OcspSigning {
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** See publicKeyPin. */
  readonly keyPin: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Makes a key, and has the CA certify it for OCSP answers alone. Throws what the signer throws. */
export async function makeOcspKey({
  path,
  signer,
  serialKey,
  lifetimeMs,
  now,
  onSign,
}: OcspKeyRequest): Promise<OcspFiles> {
  const key = await generateKey(KEY);
  const { certificate } = path;
  const spki = publicKeyDer(key);
  const serialNumber = markedSerial(randomBytes(12), certificate, serialKey);
  const life = validity(path, lifetimeMs, now);
  onSign?.({ serialNumber: serialNumber.toString('hex'), keyPin: publicKeyPin(spki), ...life });
  const der = await signLeaf({
    ca: { certificate, signer },
    publicKeyDer: spki,
    ...OCSP_IDENTITY,
    policies: policiesToCopy(rulesOf(path.chain).constraints),
    serialNumber,
    extensions: [NO_CHECK],
    ...life,
  });
  return ocspFiles(parseCertificate(der), certificate, key, serialKey);
}
