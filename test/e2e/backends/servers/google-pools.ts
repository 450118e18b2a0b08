import { randomBytes } from 'node:crypto';
import { parseCertificate } from '../../../../src/pki/certificate.ts';
import { authorityKeyIdExtension, LEAF_BASIC_CONSTRAINTS } from '../../../../src/pki/extensions.ts';
import { keyIdOfCa, newSerialNumber } from '../../../../src/pki/issue.ts';
import { parsePem } from '../../../../src/pki/pem.ts';
import { inHours } from '../../../forgeries/forging.ts';
import { type Holder, root, signIntermediate } from '../../../pki/make.ts';
import { readCsr } from '../../../pki/read-csr.ts';
import { writeCertificate } from '../../../pki/write-certificate.ts';

/** A CA of a pool: an intermediate below a root of its own. */
export interface PoolCa {
  readonly id: string;
  readonly top: Holder;
  readonly signer: Holder;
  state: 'ENABLED' | 'DISABLED' | 'STAGED';
}

/** A Certificate of the API. */
export interface StoredCertificate {
  readonly name: string;
  readonly pemCertificate?: string;
  readonly revocationDetails?: { readonly revocationState: string; readonly revocationTime: string };
  readonly [field: string]: unknown;
}

/** A CA pool, with what it has signed. */
export interface Pool {
  readonly id: string;
  readonly tier: 'ENTERPRISE' | 'DEVOPS';
  issuancePolicy: Readonly<Record<string, unknown>>;
  readonly cas: PoolCa[];
  readonly certificates: Map<string, StoredCertificate>;
  /** Google keeps request ids for an hour at least. */
  readonly requests: Map<string, StoredCertificate>;
  /** Certificates that were signed, kept or not. */
  booked: number;
}

export function newPool(id: string, tier: Pool['tier'], issuancePolicy: Pool['issuancePolicy'] = {}): Pool {
  return { id, tier, issuancePolicy, cas: [], certificates: new Map(), requests: new Map(), booked: 0 };
}

export async function addCa(pool: Pool, id: string, state: PoolCa['state'] = 'ENABLED'): Promise<PoolCa> {
  const life = { notBefore: inHours(-1), notAfter: inHours(5_000) };
  const top = await root({ ...life, commonName: `Root of ${pool.id} ${id}` });
  const ca: PoolCa = { id, top, signer: await signIntermediate(top, { ...life, commonName: `CA ${id}` }), state };
  pool.cas.push(ca);
  return ca;
}

/** The certificate for a request (PEM): what it asks for, no longer than its CA lives. */
export function signRequest({ signer: { certificate, key } }: PoolCa, pemCsr: string, lifetimeMs: number) {
  const [block] = parsePem(pemCsr);
  if (block === undefined) throw new Error('a request without a CSR');
  const { subjectDer, publicKeyDer, extensions } = readCsr(block.der);
  const endMs = Math.min(Date.now() + lifetimeMs, certificate.notAfter.getTime());
  return parseCertificate(
    writeCertificate({
      subjectDer,
      publicKeyDer,
      extensions: [LEAF_BASIC_CONSTRAINTS, ...extensions, authorityKeyIdExtension(keyIdOfCa(certificate))],
      issuerDer: certificate.subjectDer,
      signingKey: key,
      serialNumber: newSerialNumber(randomBytes(16)),
      notBefore: new Date(Math.floor(Date.now() / 1_000) * 1_000),
      notAfter: new Date(Math.floor(endMs / 1_000) * 1_000),
    }),
  );
}
