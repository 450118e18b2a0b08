import { randomBytes } from 'node:crypto';
import { authorityKeyIdExtension, LEAF_BASIC_CONSTRAINTS } from '../../../src/pki/extensions.ts';
import { keyIdOfCa, newSerialNumber } from '../../../src/pki/issue.ts';
import type { Holder } from '../../pki/make.ts';
import { readCsr } from '../../pki/read-csr.ts';
import { writeCertificate } from '../../pki/write-certificate.ts';

/** A certificate (DER) with all that a CSR (DER) asks for. Throws an Error for what is no CSR. */
export function signCsr(csr: Buffer, { certificate, key }: Holder, notAfter: Date): Buffer {
  const { extensions, ...asked } = readCsr(csr);
  return writeCertificate({
    ...asked,
    extensions: [LEAF_BASIC_CONSTRAINTS, ...extensions, authorityKeyIdExtension(keyIdOfCa(certificate))],
    issuerDer: certificate.subjectDer,
    signingKey: key,
    serialNumber: newSerialNumber(randomBytes(16)),
    notBefore: new Date(),
    notAfter,
  });
}
