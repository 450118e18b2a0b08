import { createPublicKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { StepCABackend, StepCAProvisioner } from '../api/generated/types.ts';
import type { RevocationReason } from '../api/revocation.ts';
import { AuthorityError, DeniedError, RetryableError } from '../errors.ts';
import { CSR_LABEL } from '../pki/csr.ts';
import { toPem } from '../pki/pem.ts';
import { canonicalUsages, isKeyUsage } from '../pki/usages.ts';
import {
  ANY_CERTIFICATE,
  type Backend,
  type BackendDefinition,
  type Capabilities,
  type Issued,
  type IssueRequest,
  perSecond,
  type Revocation,
  type Trust,
} from './backend.ts';
import type { BackendDeps } from './backend-deps.ts';
import { withinLimit } from './http/client.ts';
import { concealErrors } from './http/conceal-errors.ts';
import { REASON_CODES } from './shared/reason-codes.ts';
import { jwkProvisioner } from './step-ca/jwk.ts';
import { k8sSAProvisioner } from './step-ca/k8s-sa.ts';
import type { FindProvisioner, Provisioner, ProvisionerDeps } from './step-ca/provisioner.ts';
import { StepServer } from './step-ca/server.ts';
import { x5cProvisioner } from './step-ca/x5c.ts';

const CAPABILITIES: Capabilities = {
  ...ANY_CERTIFICATE,
  // Cut short where a certificate of X5C signs the tokens and ends sooner.
  lifetime: 'exact',
  remote: true,
  rateLimit: perSecond(50),
  // A lost answer costs one more certificate: step-ca signs whatever comes with a token that is new.
  persistKey: false,
};

/** Between the last moment of what signs the tokens and of a certificate: the clock of step-ca may be ahead. */
const BEFORE_LIMIT_MS = 60_000;
const SHORTEST_LIFE_MS = 60_000;
/** step-ca's words for a life below the least one of the provisioner, or beyond what signed the token. */
const TOO_SHORT = /minimum certificate duration|provisioning credential/;

/**
 * Smallstep's step-ca. Each certificate is a new request with a token of a provisioner: to renew over mTLS would keep the
 * key, and fails once a certificate has expired.
 */
export const stepCA: BackendDefinition<StepCABackend> = {
  type: 'stepCA',
  capabilities: CAPABILITIES,
  permissions: [],
  create: (spec, deps) => {
    const backend = new StepCA(spec, deps);
    const limited: Backend = {
      check: (signal) => withinLimit(signal, (all) => backend.check(all)),
      trust: (signal) => withinLimit(signal, (all) => backend.trust(all)),
      issue: (request, signal) => withinLimit(signal, (all) => backend.issue(request, all)),
      // step-ca answers 500 to a revocation with the token of a ServiceAccount.
      ...(spec.provisioner.k8sSA === undefined && {
        revoke: (revocation: Revocation, reason: RevocationReason, signal: AbortSignal) =>
          withinLimit(signal, (all) => backend.revoke(revocation, reason, all)),
      }),
    };
    return concealErrors(limited, spec.server, 'a step-ca', deps);
  },
};

class StepCA {
  readonly server: StepServer;
  readonly #spec: StepCABackend;
  readonly #deps: BackendDeps;
  readonly #find: FindProvisioner;
  /** As of the last check; a key that was replaced since is noticed by the next one. */
  #provisioner: Provisioner | undefined;

  constructor(spec: StepCABackend, deps: BackendDeps) {
    this.server = new StepServer(spec, deps);
    this.#spec = spec;
    this.#deps = deps;
    this.#find = findOf({ spec, server: this.server, deps });
  }

  async trust(signal: AbortSignal): Promise<Trust> {
    return { anchors: await this.server.roots(signal), intermediates: [] };
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.server.checkHealth(signal);
    this.#provisioner = await this.#find(signal);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued> {
    const provisioner = await this.#current(signal);
    const { subject, names, usages } = request.identity;
    if (!provisioner.hasTemplate) refuseWhatNeedsATemplate(request, this.#spec.provisioner);
    const csr = request.csr();
    const sans = [...names.dnsNames, ...names.ipAddresses, ...names.emailAddresses, ...names.uris];
    const claims = {
      // It may not be empty, and where there is no common name, the template decides that there is none.
      subject: subject.commonName ?? sans[0] ?? '',
      // Without any, step-ca would make the subject a name; an empty one it passes over.
      sans: sans.length > 0 ? sans : [''],
      csr,
    };
    const life = await this.#lifeOf(request, provisioner);
    const token = await provisioner.token({ path: '/1.0/sign', ...claims });
    const chain = await this.#sign(toPem(CSR_LABEL, csr), token, life, usages, signal);
    // An AuthorityError has the authority reconciled, and with it the list of its roots.
    if (!this.server.knows(chain))
      throw new AuthorityError(
        'InvalidAnswer',
        "the certificate does not chain to the authority's CA, as step-ca last listed its roots; they are read again",
      );
    return { chain };
  }

  async revoke({ serialNumber }: Revocation, reason: RevocationReason, signal: AbortSignal): Promise<void> {
    const serial = BigInt(`0x${serialNumber}`).toString();
    const provisioner = await this.#current(signal);
    const token = await provisioner.token({ path: '/1.0/revoke', subject: serial });
    await this.server.revoke(serial, token, REASON_CODES[reason], reason, signal);
  }

  async #sign(csr: string, token: string, life: Life, usages: readonly string[], signal: AbortSignal) {
    try {
      return await this.server.sign(csr, token, life.ms, usageData(usages), signal);
    } catch (error) {
      // The longer life that was asked for may have been fine.
      if (life.limit === undefined || !(error instanceof DeniedError) || !TOO_SHORT.test(error.message)) throw error;
      throw new RetryableError('CredentialsRefused', `${limitText(life.limit)}: ${error.message}`);
    }
  }

  /** Cut short to the life of what signs the tokens, where step-ca refuses a longer one. */
  async #lifeOf({ lifetimeMs }: IssueRequest, provisioner: Provisioner): Promise<Life> {
    const limit = await provisioner.limit?.();
    if (limit === undefined) return { ms: lifetimeMs };
    const leftMs = limit.notAfter.getTime() - this.#deps.clock.now().getTime() - BEFORE_LIMIT_MS;
    if (leftMs >= lifetimeMs) return { ms: lifetimeMs };
    // Of this certificate alone: the check of the authority still finds its credential valid.
    if (leftMs < SHORTEST_LIFE_MS) throw new RetryableError('CredentialsRefused', limitText(limit));
    return { ms: leftMs, limit };
  }

  async #current(signal: AbortSignal): Promise<Provisioner> {
    this.#provisioner ??= await this.#find(signal);
    return this.#provisioner;
  }
}

/** What a request asks for, and what has cut it short. */
interface Life {
  readonly ms: number;
  readonly limit?: Limit;
}

type Limit = Awaited<ReturnType<NonNullable<Provisioner['limit']>>>;

function limitText({ place, notAfter }: Limit): string {
  return `the certificate in ${place} signs the tokens and ends at ${notAfter.toISOString()}, which no certificate may outlive; renew it`;
}

/** Exactly one credential, as the schema sees to. */
function findOf(about: ProvisionerDeps): FindProvisioner {
  const { secretRef, x5c, k8sSA } = about.spec.provisioner;
  if (x5c !== undefined) return x5cProvisioner(x5c, about);
  if (k8sSA !== undefined) return k8sSAProvisioner(k8sSA, about);
  if (secretRef !== undefined) return jwkProvisioner(secretRef, about);
  return () => Promise.reject(new AuthorityError('AuthorityMisconfigured', 'provisioner names no credential'));
}

/** What step-ca's own template makes of a request; it knows no other usages, and takes nothing but names from a token. */
function refuseWhatNeedsATemplate({ identity, publicKey }: IssueRequest, { name, k8sSA }: StepCAProvisioner): void {
  const { commonName, ...others } = identity.subject;
  const isRsa = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyType === 'rsa';
  const made = ['digital signature', 'server auth', 'client auth', ...(isRsa ? ['key encipherment'] : [])];
  // That of K8sSA takes the subject of the request.
  const keepsSubject = k8sSA !== undefined;
  const problem =
    (!keepsSubject && commonName === undefined && 'puts a common name into every certificate') ||
    (!keepsSubject &&
      Object.values(others).some((value) => value !== undefined && value.length > 0) &&
      'keeps nothing of the subject but the common name') ||
    (!isDeepStrictEqual(canonicalUsages(identity.usages), canonicalUsages(made)) &&
      `gives every certificate the usages ${made.join(', ')}`);
  if (problem)
    throw new DeniedError(
      'UnsupportedByAuthority',
      `provisioner ${name} has step-ca's own template, which ${problem}; give it the template of docs/authorities/step-ca.md`,
    );
}

/** For templates that let the request decide about usages, as `.Insecure.User`. */
function usageData(usages: readonly string[]): { readonly keyUsage: string[]; readonly extKeyUsage: string[] } {
  const names = canonicalUsages(usages);
  const inCamelCase = (usage: string) => usage.replace(/ (.)/g, (_, letter: string) => letter.toUpperCase());
  return {
    keyUsage: names.filter(isKeyUsage).map(inCamelCase),
    extKeyUsage: names.filter((usage) => !isKeyUsage(usage)).map(inCamelCase),
  };
}
