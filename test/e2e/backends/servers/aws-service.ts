// A fake of AWS Private CA: AWS publishes no server of it, and moto, the known imitation, ignores validity, templates,
// signatures, pending requests and throttling. Its shapes are checked against AWS's own client in aws-oracle.test.ts.
import { randomBytes, randomUUID } from 'node:crypto';
import { CERTIFICATE_LABEL } from '../../../../src/pki/certificate.ts';
import { authorityKeyIdExtension } from '../../../../src/pki/extensions.ts';
import { keyIdOfCa, newSerialNumber } from '../../../../src/pki/issue.ts';
import { parsePem, toPem } from '../../../../src/pki/pem.ts';
import { readCsr } from '../../../pki/read-csr.ts';
import { writeCertificate } from '../../../pki/write-certificate.ts';
import type { SigningCa } from '../forging-signer.ts';
import { extensionsBy, type Passthrough } from './aws-templates.ts';

const DAY = 86_400;
const IDEMPOTENT_SECONDS = 300;

export class AwsException extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

interface Validity {
  readonly Type: string;
  readonly Value: number;
}

interface IssueInput {
  readonly CertificateAuthorityArn: string;
  readonly Csr: string;
  readonly SigningAlgorithm: string;
  readonly TemplateArn?: string;
  readonly Validity: Validity;
  readonly ValidityNotBefore?: Validity;
  readonly IdempotencyToken?: string;
  readonly ApiPassthrough?: Passthrough;
}

/** The chain to answer, of whatever shape, in place of the right one. */
export type Forger = (csr: Buffer, pem: string) => readonly unknown[];

interface Book {
  readonly arn: string;
  readonly csr: Buffer;
  readonly serial: string;
  readonly pem: string;
  readonly token: string | undefined;
  readonly atSeconds: number;
  /** How often GetCertificate still answers that it is in progress. */
  polls: number;
  revoked?: string;
}

/** What can be changed about the CA while it runs. */
export interface CaState {
  status: string;
  usageMode: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE';
  keyAlgorithm: string;
  crl: boolean;
  /** How many polls each new certificate takes. */
  polls: number;
  /** How many of the next certificates fail. */
  failures: number;
}

export class CaService {
  readonly arn: string;
  readonly state: CaState = {
    status: 'ACTIVE',
    usageMode: 'GENERAL_PURPOSE',
    keyAlgorithm: 'EC_prime256v1',
    crl: true,
    polls: 0,
    failures: 0,
  };
  readonly books: Book[] = [];
  /** Where it is set, certificates are answered as it says. */
  forger: Forger | undefined;
  /** What signs; another CA may take its place. */
  ca: SigningCa;

  constructor(arn: string, ca: SigningCa) {
    this.arn = arn;
    this.ca = ca;
  }

  answer(operation: string, input: Readonly<Record<string, unknown>>, now: Date): object {
    if (input.CertificateAuthorityArn !== this.arn)
      throw new AwsException(
        'ResourceNotFoundException',
        `Could not find Certificate Authority ${input.CertificateAuthorityArn}`,
      );
    switch (operation) {
      case 'DescribeCertificateAuthority':
        return this.#describe();
      case 'GetCertificateAuthorityCertificate':
        return this.#caCertificate();
      case 'IssueCertificate':
        return { CertificateArn: this.#issue(input as unknown as IssueInput, now.getTime() / 1_000).arn };
      case 'GetCertificate':
        return this.#get(String(input.CertificateArn));
      case 'RevokeCertificate':
        return this.#revoke(String(input.CertificateSerial), String(input.RevocationReason));
      default:
        throw new AwsException('UnknownOperationException', operation);
    }
  }

  #describe(): object {
    const { status, usageMode, keyAlgorithm, crl } = this.state;
    const { notBefore, notAfter } = this.ca.intermediate.certificate;
    return {
      CertificateAuthority: {
        Arn: this.arn,
        Type: 'SUBORDINATE',
        Status: status,
        NotBefore: notBefore.getTime() / 1_000,
        NotAfter: notAfter.getTime() / 1_000,
        UsageMode: usageMode,
        CertificateAuthorityConfiguration: {
          KeyAlgorithm: keyAlgorithm,
          SigningAlgorithm: 'SHA256WITHECDSA',
          Subject: { CommonName: 'Test Intermediate' },
        },
        RevocationConfiguration: { CrlConfiguration: { Enabled: crl }, OcspConfiguration: { Enabled: false } },
      },
    };
  }

  #caCertificate(): object {
    if (this.state.status === 'PENDING_CERTIFICATE')
      throw new AwsException(
        'InvalidStateException',
        'The certificate authority is not in a valid state: PENDING_CERTIFICATE',
      );
    const { intermediate, top } = this.ca;
    return { Certificate: intermediate.certificate.pem, CertificateChain: top.certificate.pem };
  }

  #issue(input: IssueInput, nowSeconds: number): Book {
    if (this.state.status !== 'ACTIVE')
      throw new AwsException(
        'InvalidStateException',
        `The certificate authority is not in a valid state: ${this.state.status}`,
      );
    const { IdempotencyToken: token } = input;
    const before = this.books.find(
      (each) => token !== undefined && each.token === token && nowSeconds - each.atSeconds < IDEMPOTENT_SECONDS,
    );
    if (before !== undefined) return before;
    const csr = csrIn(input.Csr);
    if (!input.SigningAlgorithm.endsWith(this.state.keyAlgorithm.startsWith('RSA') ? 'WITHRSA' : 'WITHECDSA'))
      throw new AwsException('InvalidArgsException', 'The signing algorithm does not match the key of the CA');
    const { subjectDer, publicKeyDer, extensions } = readCsr(csr);
    if (subjectDer.length === 2 && extensions.length === 0)
      throw new AwsException('MalformedCSRException', 'Neither subject nor SAN');
    const template = input.TemplateArn ?? 'arn:aws:acm-pca:::template/EndEntityCertificate/V1';
    const byTemplate = extensionsBy(template, extensions, input.ApiPassthrough);
    if (byTemplate === undefined)
      throw new AwsException('InvalidArgsException', `The template ${template} is not supported`);
    const { notBefore, notAfter } = this.#validity(input, nowSeconds);
    const { certificate, key } = this.ca.intermediate;
    const serialNumber = newSerialNumber(randomBytes(16));
    const der = writeCertificate({
      subjectDer,
      publicKeyDer,
      extensions: [...byTemplate, authorityKeyIdExtension(keyIdOfCa(certificate))],
      issuerDer: certificate.subjectDer,
      signingKey: key,
      serialNumber,
      notBefore,
      notAfter,
    });
    const book: Book = {
      arn: `${this.arn}/certificate/${randomUUID().replaceAll('-', '')}`,
      csr,
      serial: serialNumber.toString('hex'),
      pem: toPem(CERTIFICATE_LABEL, der),
      token,
      atSeconds: nowSeconds,
      polls: this.#fails() ? Number.NaN : this.state.polls,
    };
    this.books.push(book);
    return book;
  }

  #fails(): boolean {
    if (this.state.failures === 0) return false;
    this.state.failures--;
    return true;
  }

  #validity({ Validity, ValidityNotBefore }: IssueInput, nowSeconds: number) {
    const end =
      Validity.Type === 'ABSOLUTE'
        ? Validity.Value
        : Validity.Type === 'DAYS'
          ? nowSeconds + Validity.Value * DAY
          : Number.NaN;
    if (Number.isNaN(end) || !Number.isInteger(Validity.Value))
      throw new AwsException('ValidationException', `Validity ${JSON.stringify(Validity)} is not supported`);
    if (end <= nowSeconds) throw new AwsException('InvalidArgsException', 'The certificate would have expired already');
    if (end * 1_000 > this.ca.intermediate.certificate.notAfter.getTime())
      throw new AwsException(
        'ValidationException',
        'The certificate validity specified exceeds the certificate authority validity',
      );
    const begin = ValidityNotBefore?.Value ?? nowSeconds - 3_600;
    if (this.state.usageMode === 'SHORT_LIVED_CERTIFICATE' && end - begin > 7 * DAY)
      throw new AwsException('ValidationException', 'The certificate validity must not exceed 7 days');
    const date = (seconds: number) => new Date(Math.floor(seconds) * 1_000);
    return { notBefore: date(begin), notAfter: date(end) };
  }

  #get(arn: string): object {
    const book = this.books.find((each) => each.arn === arn);
    if (book === undefined) throw new AwsException('ResourceNotFoundException', `Could not find Certificate ${arn}`);
    if (Number.isNaN(book.polls))
      throw new AwsException('RequestFailedException', 'The request to issue the certificate failed');
    if (book.polls-- > 0)
      throw new AwsException('RequestInProgressException', `Certificate issuance is in progress for ${arn}`);
    const { intermediate, top } = this.ca;
    if (this.forger !== undefined) return wrapped(this.forger(book.csr, book.pem), top.certificate.pem);
    return { Certificate: book.pem, CertificateChain: [intermediate.certificate.pem, top.certificate.pem].join('') };
  }

  #revoke(serial: string, reason: string): object {
    const book = this.books.find((each) => each.serial === serial.replaceAll(':', '').toLowerCase());
    if (book === undefined)
      throw new AwsException('ResourceNotFoundException', `Could not find Certificate with serial ${serial}`);
    if (book.revoked !== undefined)
      throw new AwsException('RequestAlreadyProcessedException', 'The certificate is revoked already');
    book.revoked = reason;
    return {};
  }
}

/** DER of the request in a blob, which holds PEM. */
function csrIn(blob: string): Buffer {
  const malformed = new AwsException('MalformedCSRException', 'The certificate signing request is invalid');
  try {
    const [block] = parsePem(Buffer.from(blob, 'base64').toString());
    if (block === undefined) throw malformed;
    readCsr(block.der);
    return block.der;
  } catch {
    throw malformed;
  }
}

/** With the root at the end, as AWS does, where the chain is a text at all. */
function wrapped([leaf = null, ...rest]: readonly unknown[], root: string): object {
  const isText = rest.every((each) => typeof each === 'string');
  return { Certificate: leaf, CertificateChain: isText ? [...rest, root].join('\n') : rest };
}
