import type { AwsPrivateCABackend } from '../../api/generated/types.ts';
import type { RevocationReason } from '../../api/revocation.ts';
import { AuthorityError, DeniedError, RetryableError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { isSelfSigned } from '../../pki/signed-by.ts';
import type { Issued, IssueRequest, Pending, Revocation, Trust } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { textsOf } from '../http/json-members.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { type CaArn, isCertificateOf } from './arn.ts';
import type { Operation, Outcome, PcaClient } from './client.ts';
import { type Description, readDescription, refuseUnusable, signingAlgorithm } from './description.ts';
import { issueInput, probeInput, revokeInput } from './requests.ts';
import { type Template, templateOf } from './template.ts';
import { validityOf } from './validity.ts';

/** AWS signs within a second or so: the answer is waited for that often before the request becomes a pending one. */
const FIRST_WAITS_MS = [200, 400, 800, 1_200];
const POLL_AFTER_MS = 3_000;
/** What AWS answers to an ARN of none; as the authority's trouble, a ticket that was made up would stop all its certificates. */
const NO_CERTIFICATE = new Set([
  'ResourceNotFoundException',
  'InvalidArnException',
  'InvalidArgsException',
  'ValidationException',
]);
const OF_THE_CSR = new Set(['MalformedCSRException', 'InvalidArgsException', 'ValidationException']);

/** One CA of AWS Private CA, and one template. */
export class PrivateCa {
  readonly #spec: Pick<AwsPrivateCABackend, 'signingAlgorithm'>;
  readonly #arn: CaArn;
  readonly #template: Template;
  readonly #client: PcaClient;
  readonly #deps: Pick<BackendDeps, 'clock'>;
  /** As of the last check. */
  #described: Description | undefined;

  constructor(spec: AwsPrivateCABackend, arn: CaArn, client: PcaClient, deps: Pick<BackendDeps, 'clock'>) {
    this.#spec = spec;
    this.#arn = arn;
    this.#template = templateOf(spec.templateArn, arn);
    this.#client = client;
    this.#deps = deps;
  }

  /** Whether the CA can sign, and whether it would: by a request that AWS refuses only after it has been allowed. */
  async check(signal: AbortSignal): Promise<void> {
    const description = await this.#describe(signal);
    refuseUnusable(description, this.#arn, this.#deps.clock.now());
    const algorithm = signingAlgorithm(description, this.#arn, this.#spec.signingAlgorithm);
    const answer = await this.#ask('IssueCertificate', probeInput(this.#arn, this.#template, algorithm), signal);
    if ('body' in answer)
      throw new AuthorityError('InvalidAnswer', `AWS took a request that is none for the CA ${this.#arn.arn}`);
    const { name, message } = answer.exception;
    if (!OF_THE_CSR.has(name)) throw answer.trouble();
    if (/template/i.test(message))
      throw new AuthorityError(
        'AuthorityMisconfigured',
        `AWS doesn't take the template ${this.#template.arn}; see spec.awsPrivateCA.templateArn: ${message}`,
      );
  }

  async trust(signal: AbortSignal): Promise<Trust> {
    const answer = await this.#ask('GetCertificateAuthorityCertificate', this.#input(), signal);
    if (!('body' in answer)) throw await this.#whyNot(answer, signal);
    const { Certificate, CertificateChain } = answer.body;
    const chain = readCertificates(textsOf([Certificate, CertificateChain]), (why) => {
      return new AuthorityError('InvalidAnswer', `the certificate of the CA ${this.#arn.arn} can't be read: ${why}`);
    });
    const root = chain.at(-1);
    if (root === undefined || !chain.every(({ isCA }) => isCA))
      throw new AuthorityError('InvalidAnswer', `AWS answered without the certificate of the CA ${this.#arn.arn}`);
    if (!isSelfSigned(root))
      throw new AuthorityError(
        'TrustBundleNotFound',
        `the chain of the CA ${this.#arn.arn} ends at ${root.subjectText}, which is no root; import the CA's certificate with a chain up to its root: aws acm-pca import-certificate-authority-certificate`,
      );
    return { anchors: [root], intermediates: chain.slice(0, -1) };
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued | Pending> {
    if (request.ticket !== undefined) return this.#collect(request.ticket, signal);
    const certificateArn = await this.#request(request, signal);
    // From here on every way out must name the ARN: a second request would bring, and cost, another certificate.
    try {
      for (const waitMs of FIRST_WAITS_MS) {
        await this.#deps.clock.sleep(waitMs, signal);
        const answer = await this.#collect(certificateArn, signal);
        if (!('ticket' in answer)) return answer;
      }
    } catch {
      // What it is, the next attempt says.
    }
    return pendingFor(certificateArn);
  }

  async revoke({ serialNumber }: Revocation, reason: RevocationReason, signal: AbortSignal): Promise<void> {
    const { isShortLived, publishesRevocations } = await this.#description(signal);
    const { arn } = this.#arn;
    if (isShortLived && !publishesRevocations)
      throw new DeniedError(
        'RequestDenied',
        `the CA ${arn} has the mode SHORT_LIVED_CERTIFICATE and neither CRL nor OCSP, so no verifier would learn of it; the certificate ends within 7 days`,
      );
    const answer = await this.#ask('RevokeCertificate', revokeInput(serialNumber, reason, this.#arn), signal);
    if ('body' in answer) return;
    const { name, message } = answer.exception;
    // It is revoked already.
    if (name === 'RequestAlreadyProcessedException' || /already (been )?revoked/i.test(message)) return;
    throw name === 'InvalidRequestException'
      ? new DeniedError('RequestDenied', `revoking ${serialNumber} of ${arn} was refused: ${message}`)
      : answer.refusal();
  }

  /** Asks for a certificate, and answers its ARN. */
  async #request(request: IssueRequest, signal: AbortSignal): Promise<string> {
    const description = await this.#description(signal);
    const algorithm = signingAlgorithm(description, this.#arn, this.#spec.signingAlgorithm);
    const validity = validityOf(request.lifetimeMs, description, this.#arn, this.#deps.clock.now());
    const input = issueInput(request, this.#arn, this.#template, algorithm, validity);
    const answer = await this.#ask('IssueCertificate', input, signal);
    if (!('body' in answer)) {
      if (answer.exception.name === 'InvalidStateException') throw await this.#whyNot(answer, signal);
      throw answer.refusal();
    }
    const { CertificateArn } = answer.body;
    if (typeof CertificateArn !== 'string' || !isCertificateOf(this.#arn, CertificateArn))
      throw new RetryableError(
        'RequestFailed',
        `IssueCertificate answered without the ARN of a certificate of ${this.#arn.arn}`,
      );
    return CertificateArn;
  }

  /** The certificate of that ARN, which whoever writes Secrets may have made up. */
  async #collect(certificateArn: string, signal: AbortSignal): Promise<Issued | Pending> {
    const { arn } = this.#arn;
    if (!isCertificateOf(this.#arn, certificateArn))
      throw new RetryableError('RequestFailed', `the request that was made is none of the CA ${arn}; another is made`);
    const answer = await this.#ask('GetCertificate', { ...this.#input(), CertificateArn: certificateArn }, signal);
    if ('body' in answer) {
      const { Certificate, CertificateChain } = answer.body;
      return { chain: chainIn(Certificate, CertificateChain, certificateArn), externalId: certificateArn };
    }
    const { name } = answer.exception;
    if (name === 'RequestInProgressException') return pendingFor(certificateArn);
    if (NO_CERTIFICATE.has(name))
      throw new RetryableError('RequestFailed', `AWS knows no certificate ${certificateArn}; another is requested`);
    throw answer.refusal();
  }

  async #describe(signal: AbortSignal): Promise<Description> {
    const answer = await this.#ask('DescribeCertificateAuthority', this.#input(), signal);
    if (!('body' in answer)) throw answer.trouble();
    this.#described = readDescription(answer.body, this.#arn.arn);
    return this.#described;
  }

  async #description(signal: AbortSignal): Promise<Description> {
    return this.#described ?? this.#describe(signal);
  }

  /** The state of the CA says more than AWS's refusal. */
  async #whyNot(answer: Exclude<Outcome, { readonly body: unknown }>, signal: AbortSignal): Promise<Error> {
    if (answer.exception.name === 'InvalidStateException')
      refuseUnusable(await this.#describe(signal), this.#arn, this.#deps.clock.now());
    return answer.trouble();
  }

  #input() {
    return { CertificateAuthorityArn: this.#arn.arn };
  }

  #ask(operation: Operation, input: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Outcome> {
    return this.#client.ask(operation, input, `for ${this.#arn.arn}`, signal);
  }
}

function pendingFor(ticket: string): Pending {
  return { ticket, pollAfterMs: POLL_AFTER_MS, message: `waiting for AWS Private CA to issue ${ticket}` };
}

/** Leaf first; AWS's chain ends with the root, which belongs into ca.crt. */
function chainIn(certificate: unknown, above: unknown, certificateArn: string): CertificateView[] {
  const none = `GetCertificate answered without a certificate for ${certificateArn}`;
  if (typeof certificate !== 'string') throw new RetryableError('RequestFailed', none);
  const chain = readCertificates([certificate, ...textsOf([above])], (why) => {
    return new RetryableError('RequestFailed', `the certificate ${certificateArn} can't be read: ${why}`);
  });
  const [leaf, ...rest] = chain;
  if (leaf === undefined) throw new RetryableError('RequestFailed', none);
  return [leaf, ...rest.filter((each) => !isSelfSigned(each))];
}
