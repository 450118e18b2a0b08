import type { VaultBackend } from '../../api/generated/types.ts';
import { AuthorityError, RetryableError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import type { CaPath } from '../../pki/ca.ts';
import { CERTIFICATE_LABEL, type CertificateView } from '../../pki/certificate.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { toPem } from '../../pki/pem.ts';
import { isIssuedBy } from '../../pki/signed-by.ts';
import { canonicalUsage } from '../../pki/usages.ts';
import {
  type Issued,
  type IssueRequest,
  NO_TRUST,
  type OfferedCa,
  type ProbeRequest,
  type Revocation,
  type Trust,
} from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import type { JsonAnswer } from '../http/json.ts';
import { membersOf, textsOf } from '../http/json-members.ts';
import { readTrustBundle } from '../shared/trust-bundle.ts';
import { encodePath, type VaultCall, type VaultClient } from './client.ts';
import type { Tokens } from './tokens.ts';
import { DEFAULT_ISSUER, readPem, readTrust } from './trust.ts';

const SECOND = 1_000;
/** A life that ends this long before the CA's is never refused for a clock that is a little behind. */
const BEFORE_CA_END_MS = 10 * SECOND;
const SHORTEST_LIFE_MS = 60 * SECOND;
const MOST_WARNINGS = 5;
const MOST_USAGES_TOLD = 10;

/** One mount of the PKI secrets engine, one role. */
export class VaultPki {
  readonly #spec: VaultBackend;
  readonly #client: VaultClient;
  readonly #tokens: Tokens;
  readonly #deps: BackendDeps;
  /** The issuer that is to sign, as of the last look. */
  #offered: OfferedCa | undefined;

  constructor(spec: VaultBackend, client: VaultClient, tokens: Tokens, deps: BackendDeps) {
    this.#spec = spec;
    this.#client = client;
    this.#tokens = tokens;
    this.#deps = deps;
  }

  /** Whether Vault signs with the issuer that signs now, or is to be the first to sign. */
  async check(signal: AbortSignal): Promise<void> {
    const { issuerRef = DEFAULT_ISSUER } = this.#spec;
    await this.tryToSign(this.#deps.signing()?.issuerRef ?? this.#offered?.ref ?? issuerRef, signal);
  }

  /** Asks for a signature without a request: Vault's answer shows whether it would sign one. */
  async tryToSign(issuerRef: string, signal: AbortSignal): Promise<void> {
    const { mount } = this.#spec;
    const path = this.#signPath(issuerRef);
    const answer = await this.#withToken({ method: 'POST', path, body: { csr: '' } }, signal);
    const { status, message } = answer;
    if (status === 400 && /csr/i.test(message)) return;
    this.#refuseWithoutRole(answer);
    if (message.includes('issuer') || message.includes('CA certificate'))
      throw new AuthorityError(
        'AuthorityMisconfigured',
        `the mount ${mount} can't sign with the issuer ${issuerRef}: ${message}`,
      );
    throw this.#client.trouble(answer, this.#signing(answer));
  }

  async trust(signal: AbortSignal): Promise<Trust> {
    const { trustBundle } = this.#spec;
    const given = trustBundle === undefined ? NO_TRUST : await readTrustBundle(trustBundle, this.#deps);
    const trust = await readTrust(this.#client, this.#spec, given, this.#deps.clock.now(), signal);
    this.#offered = trust.offered;
    return trust;
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued> {
    const { name } = this.#deps;
    const signing = this.#deps.signing();
    const { issuerRef } = signing ?? {};
    if (signing === undefined || issuerRef === undefined)
      throw new AuthorityError('AuthorityNotReady', `no issuer of ${name} has become a CA generation yet`);
    const answer = await this.#sign(issuerRef, request.csr(), this.#lifeMs(request, signing.path), signal);
    const { chain } = this.#read(answer, request);
    const [leaf] = chain;
    // Asked by its id, Vault signs with no other issuer; whatever stands in between might.
    const isOfGeneration = leaf !== undefined && isIssuedBy(leaf, signing.path.certificate);
    return { chain, generation: isOfGeneration ? signing.version : undefined };
  }

  /** Its chain alone is read: a verifier says whether it is good, and it is used for nothing else. */
  async signProbe({ issuerRef, csr, lifetimeMs }: ProbeRequest, signal: AbortSignal): Promise<CertificateView[]> {
    const answer = await this.#sign(issuerRef, csr, lifetimeMs, signal);
    return this.#chain(answer);
  }

  async #sign(issuerRef: string, csr: Buffer, lifetimeMs: number, signal: AbortSignal): Promise<JsonAnswer> {
    const body = {
      csr: toPem(CSR_LABEL, csr),
      ttl: `${Math.floor(lifetimeMs / SECOND)}s`,
      format: 'pem',
      // Otherwise a common name that looks like a host becomes a DNS name that was not requested.
      exclude_cn_from_sans: true,
    };
    const answer = await this.#withToken({ method: 'POST', path: this.#signPath(issuerRef), body }, signal);
    this.#refuseWithoutRole(answer);
    if (answer.status !== 200) throw this.#client.refusal(answer, this.#signing(answer));
    return answer;
  }

  /** By the certificate where it is at hand, since Vault may keep none (no_store). Vault knows no reasons. */
  async revoke({ serialNumber, leaf }: Revocation, signal: AbortSignal): Promise<void> {
    const serial = serialNumber.match(/../g)?.join(':') ?? '';
    const body = leaf === undefined ? { serial_number: serial } : { certificate: toPem(CERTIFICATE_LABEL, leaf) };
    const { mount } = this.#spec;
    const answer = await this.#withToken({ method: 'POST', path: `${encodePath(mount)}/revoke`, body }, signal);
    if (answer.status !== 200) throw this.#client.refusal(answer, `revoking ${serial} at ${mount}`);
  }

  /** Answered like a request that is refused, and yet every certificate would fail alike. */
  #refuseWithoutRole({ status, message }: JsonAnswer): void {
    const { mount, role } = this.#spec;
    // Further on in a message may stand what a certificate asked for, and that must not put the authority in trouble.
    if (status === 400 && message.startsWith('unknown role'))
      throw new AuthorityError('AuthorityMisconfigured', `the mount ${mount} has no role ${role}; make it`);
  }

  /** A token that is refused may have been revoked; the second one is not. */
  async #withToken(call: VaultCall, signal: AbortSignal): Promise<JsonAnswer> {
    const token = await this.#tokens.get();
    const answer = await this.#client.ask({ ...call, token }, signal);
    if (answer.status !== 403) return answer;
    const other = await this.#tokens.instead(token);
    return other === token ? answer : this.#client.ask({ ...call, token: other }, signal);
  }

  #signPath(issuerRef: string): string {
    const { mount, role } = this.#spec;
    return `${encodePath(mount)}/issuer/${encodeURIComponent(issuerRef)}/sign/${encodeURIComponent(role)}`;
  }

  /** What was asked for, and what a token needs for that where it is refused. */
  #signing({ status, message }: JsonAnswer): string {
    const { mount, role } = this.#spec;
    const needs =
      status === 403 && !message.includes('invalid token')
        ? ` (its policy needs update on ${mount}/issuer/+/sign/${role})`
        : '';
    return `signing with the role ${role} of ${mount}${needs}`;
  }

  /** What is asked for, cut short to the life of the CA: Vault refuses what would outlive it, by default. */
  #lifeMs({ lifetimeMs }: IssueRequest, { certificate: { notAfter } }: CaPath): number {
    const leftMs = notAfter.getTime() - this.#deps.clock.now().getTime() - BEFORE_CA_END_MS;
    if (leftMs < SHORTEST_LIFE_MS)
      throw new AuthorityError(
        'CAExpired',
        `the issuer of the mount ${this.#spec.mount} ends at ${notAfter.toISOString()}`,
      );
    return Math.min(lifetimeMs, leftMs);
  }

  #chain({ body }: JsonAnswer): CertificateView[] {
    const { certificate, issuing_ca, ca_chain } = membersOf(membersOf(body).data);
    const above = textsOf(ca_chain);
    return readPem(textsOf([certificate, ...(above.length > 0 ? above : [issuing_ca])]), 'the answer');
  }

  #read(answer: JsonAnswer, { identity, publicKey, requester }: IssueRequest): Issued {
    const { warnings: said } = membersOf(answer.body);
    const chain = this.#chain(answer);
    const [leaf] = chain;
    if (leaf === undefined) throw new RetryableError('InvalidAnswer', 'Vault answered without a certificate');
    if (leaf.publicKeyDer.equals(publicKey)) this.#refuseAddedUsage(leaf, identity.usages);
    const warnings = textsOf(said)
      .slice(0, MOST_WARNINGS)
      .map((warning) => withoutSecrets(warning, this.#tokens.secrets));
    if (warnings.length > 0)
      this.#deps.log.warn('the authority issued with warnings', {
        authority: this.#deps.name,
        namespace: requester.namespace,
        name: requester.name,
        warnings,
      });
    // What Vault calls it is its serial number; to believe another one would be to revoke another certificate one day.
    return { chain };
  }

  /** A role adds usages by default, which the proof would refuse too, but without a word on what to do. */
  #refuseAddedUsage(leaf: CertificateView, asked: readonly string[]): void {
    const wanted = asked.map(canonicalUsage);
    const added = leaf.usages.filter((usage) => !wanted.includes(usage));
    if (added.length === 0) return;
    throw new RetryableError(
      'InvalidAnswer',
      `the role ${this.#spec.role} adds the usages ${added.slice(0, MOST_USAGES_TOLD).join(', ')}, which was not requested: set key_usage, server_flag and the like on it, or ask for them in spec.usages`,
    );
  }
}
