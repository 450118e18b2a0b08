// A fake of Cloudflare's resources, see cloudflare-fake.ts.
import { createHash, randomBytes } from 'node:crypto';
import { type CertificateView, parseCertificate, parseCertificates } from '../../../src/pki/certificate.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import type { Holder } from '../../pki/make.ts';
import { signCsr } from './sign-csr.ts';

/** The members of the SDK's ClientCertificate; cloudflare-sdk.test.ts compares the types. */
export interface FakeClientCertificate {
  id: string;
  certificate: string;
  certificate_authority: { id: string; name: string };
  common_name: string;
  csr: string;
  expires_on: string;
  fingerprint_sha256: string;
  issued_on: string;
  serial_number: string;
  signature: string;
  ski: string;
  status: 'active' | 'pending_reactivation' | 'pending_revocation' | 'revoked';
  validity_days: number;
}

/** The members of the SDK's MTLSCertificate. */
export interface FakeMtlsCertificate {
  id: string;
  ca: boolean;
  certificates: string;
  expires_on: string;
  issuer: string;
  name: string;
  serial_number: string;
  signature: string;
  type: 'custom';
  uploaded_on: string;
}

/** What an API call is refused with. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const DAY_MS = 86_400_000;
const newId = () => randomBytes(16).toString('hex');

interface Quotas {
  /** Active client certificates of the zone. */
  certificates: number;
  /** Uploaded CA certificates of the account. */
  uploads: number;
}

/** One zone and its account. */
export class FakeZone {
  readonly zone = newId();
  readonly account = newId();
  readonly issued: FakeClientCertificate[] = [];
  readonly uploaded: FakeMtlsCertificate[] = [];
  /** By the id of an uploaded CA; empty for the managed CA. */
  readonly hostnames = new Map<string, string[]>();
  readonly quotas: Quotas = { certificates: 100, uploads: 5 };
  readonly #ca: Holder;
  /** Certificates above the leaf that come with it: Cloudflare sends none. */
  readonly #above: readonly CertificateView[];

  constructor(ca: Holder, above: readonly CertificateView[] = []) {
    this.#ca = ca;
    this.#above = above;
  }

  get active(): readonly FakeClientCertificate[] {
    return this.issued.filter(({ status }) => status === 'active');
  }

  create({ csr, validity_days: days }: { csr?: unknown; validity_days?: unknown }): FakeClientCertificate {
    if (typeof csr !== 'string' || !Number.isInteger(days) || Number(days) < 1)
      throw new Refused(400, 1404, 'Invalid certificate signing request or validity');
    if (this.active.length >= this.quotas.certificates)
      throw new Refused(400, 1445, 'You have reached the maximum number of client certificates');
    const leaf = parseCertificate(this.#sign(csr, Number(days)));
    const made: FakeClientCertificate = {
      id: newId(),
      certificate: [leaf, ...this.#above].map(({ pem }) => pem).join(''),
      certificate_authority: { id: newId(), name: 'Cloudflare Managed CA for account' },
      common_name: leaf.subject.commonName ?? '',
      csr,
      expires_on: leaf.notAfter.toISOString(),
      fingerprint_sha256: leaf.fingerprintSHA256,
      issued_on: leaf.notBefore.toISOString(),
      serial_number: leaf.serialNumber.toUpperCase(),
      signature: 'ECDSAWithSHA256',
      ski: createHash('sha1').update(leaf.publicKeyDer).digest('hex').toUpperCase(),
      status: 'active',
      validity_days: Number(days),
    };
    this.issued.push(made);
    return made;
  }

  find(id: string): FakeClientCertificate {
    const found = this.issued.find((each) => each.id === id);
    if (found === undefined) throw new Refused(404, 1401, 'Client certificate not found');
    return found;
  }

  revoke(id: string): FakeClientCertificate {
    const found = this.find(id);
    if (found.status !== 'active') throw new Refused(400, 1410, 'The client certificate is not active');
    found.status = 'pending_revocation';
    return found;
  }

  reactivate(id: string, { reactivate }: { reactivate?: unknown }): FakeClientCertificate {
    const found = this.find(id);
    if (reactivate === true && found.status === 'pending_revocation') found.status = 'pending_reactivation';
    return found;
  }

  upload({ ca, certificates, name }: Readonly<Record<string, unknown>>): FakeMtlsCertificate {
    if (typeof certificates !== 'string' || ca !== true) throw new Refused(400, 1412, 'Unable to parse certificate');
    const [certificate, ...more] = parseCertificates(certificates, { most: 2 });
    if (certificate === undefined || more.length > 0) throw new Refused(400, 1412, 'Unable to parse certificate');
    if (!certificate.isCA || certificate.keySpec?.algorithm === 'Ed25519')
      throw new Refused(400, 1413, 'The certificate is no CA, or has a key that is not supported');
    if (this.uploaded.some((each) => each.certificates === certificates))
      throw new Refused(409, 1406, 'This certificate has already been uploaded');
    if (this.uploaded.length >= this.quotas.uploads)
      throw new Refused(400, 1489, 'You have reached the maximum number of CA certificates');
    const made: FakeMtlsCertificate = {
      id: newId(),
      ca: true,
      certificates,
      expires_on: certificate.notAfter.toISOString(),
      issuer: certificate.issuerText,
      name: typeof name === 'string' ? name : '',
      serial_number: BigInt(`0x${certificate.serialNumber}`).toString(),
      signature: 'ECDSAWithSHA256',
      type: 'custom',
      uploaded_on: new Date().toISOString(),
    };
    this.uploaded.push(made);
    return made;
  }

  findUpload(id: string): FakeMtlsCertificate {
    const found = this.uploaded.find((each) => each.id === id);
    if (found === undefined) throw new Refused(404, 1415, 'Could not find certificate');
    return found;
  }

  removeUpload(id: string): FakeMtlsCertificate {
    const found = this.findUpload(id);
    if ((this.hostnames.get(id) ?? []).length > 0)
      throw new Refused(400, 1416, 'The certificate is still associated with hostnames');
    this.uploaded.splice(this.uploaded.indexOf(found), 1);
    return found;
  }

  associations(id = ''): { hostnames: string[] } {
    if (id !== '') this.findUpload(id);
    return { hostnames: this.hostnames.get(id) ?? [] };
  }

  associate({ hostnames, mtls_certificate_id: id = '' }: Readonly<Record<string, unknown>>): { hostnames: string[] } {
    if (!Array.isArray(hostnames) || typeof id !== 'string') throw new Refused(400, 1420, 'Invalid hostnames');
    if (id !== '') this.findUpload(id);
    this.hostnames.set(id, hostnames.map(String));
    return this.associations(id);
  }

  #sign(csr: string, days: number): Buffer {
    try {
      const [block] = parsePem(csr);
      if (block !== undefined) return signCsr(block.der, this.#ca, new Date(Date.now() + days * DAY_MS));
    } catch {}
    throw new Refused(400, 1404, 'Invalid certificate signing request');
  }
}
