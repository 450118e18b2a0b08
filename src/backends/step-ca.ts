import { createPublicKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { StepCABackend } from '../api/generated/types.ts';
import { AuthorityError, DeniedError } from '../errors.ts';
import { CSR_LABEL } from '../pki/csr.ts';
import { toPem } from '../pki/pem.ts';
import { canonicalUsages, isKeyUsage } from '../pki/usages.ts';
import {
  ANY_CERTIFICATE,
  type Backend,
  type BackendDefinition,
  type BackendDeps,
  type Capabilities,
  type Issued,
  type IssueRequest,
  perSecond,
  type Revocation,
  type RevocationReason,
  type Trust,
} from './backend.ts';
import { withinLimit } from './http/client.ts';
import { concealErrors } from './http/conceal-errors.ts';
import { credentialsIn, findProvisioner, KeyRing, type ListedProvisioner } from './step-ca/provisioner.ts';
import { StepServer } from './step-ca/server.ts';
import { oneTimeToken, type ProvisionerKey } from './step-ca/token.ts';

const CAPABILITIES: Capabilities = {
  ...ANY_CERTIFICATE,
  lifetime: 'exact',
  remote: true,
  rateLimit: perSecond(50),
  // A lost answer costs one more certificate: step-ca signs whatever comes with a token that is new.
  persistKey: false,
};

/** RFC 5280 section 5.3.1. */
const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
};

/**
 * Smallstep's step-ca. Each certificate is a new request with a one-time token that a JWK provisioner's key has signed:
 * to renew over mTLS would keep the key, and fails once a certificate has expired.
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
      revoke: (revocation, reason, signal) => withinLimit(signal, (all) => backend.revoke(revocation, reason, all)),
    };
    return concealErrors(limited, spec.server, 'a step-ca', deps);
  },
};

/** The provisioner as step-ca lists it, with the key that belongs to it. */
interface Provisioner extends ListedProvisioner {
  readonly key: ProvisionerKey;
}

class StepCA {
  readonly server: StepServer;
  readonly #spec: StepCABackend;
  readonly #deps: BackendDeps;
  readonly #keys = new KeyRing();
  /** As of the last check; a key that was replaced since is noticed by the next one. */
  #provisioner: Provisioner | undefined;

  constructor(spec: StepCABackend, deps: BackendDeps) {
    this.server = new StepServer(spec, deps);
    this.#spec = spec;
    this.#deps = deps;
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
    if (!provisioner.hasTemplate) refuseWhatNeedsATemplate(request, this.#spec.provisioner.name);
    const csr = request.csr();
    const sans = [...names.dnsNames, ...names.ipAddresses, ...names.emailAddresses, ...names.uris];
    const claims = {
      // It may not be empty, and where there is no common name, the template decides that there is none.
      subject: subject.commonName ?? sans[0] ?? '',
      // Without any, step-ca would make the subject a name; an empty one it passes over.
      sans: sans.length > 0 ? sans : [''],
      csr,
    };
    const token = await this.#token(provisioner, '/1.0/sign', claims);
    const chain = await this.server.sign(toPem(CSR_LABEL, csr), token, request.lifetimeMs, usageData(usages), signal);
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
    const token = await this.#token(await this.#current(signal), '/1.0/revoke', { subject: serial });
    await this.server.revoke(serial, token, REASON_CODES[reason], reason, signal);
  }

  #token(
    { key, kid }: Provisioner,
    path: string,
    claims: { readonly subject: string; readonly sans?: readonly string[]; readonly csr?: Buffer },
  ): Promise<string> {
    const { rootFingerprints, provisioner } = this.#spec;
    const about = {
      issuer: provisioner.name,
      audience: this.server.endpoint(path),
      rootFingerprint: rootFingerprints[0] ?? '',
    };
    return oneTimeToken({ ...key, kid }, { ...about, ...claims }, this.#deps.clock.now());
  }

  async #current(signal: AbortSignal): Promise<Provisioner> {
    this.#provisioner ??= await this.#find(signal);
    return this.#provisioner;
  }

  async #find(signal: AbortSignal): Promise<Provisioner> {
    const { name, secretRef } = this.#spec.provisioner;
    const credentials = credentialsIn(await this.#deps.secret(secretRef.name), this.#spec.provisioner);
    const listed = findProvisioner(name, await this.server.provisioners(signal));
    if (listed === undefined)
      throw new AuthorityError(
        'AuthorityMisconfigured',
        `step-ca has no provisioner of type JWK with the name ${name}; see: step ca provisioner list`,
      );
    const { kid, thumbprint } = listed;
    const handedOut = credentials.key === undefined;
    const encrypted = credentials.key ?? (await this.server.encryptedKey(kid, signal));
    if (encrypted === undefined)
      throw new AuthorityError(
        'CredentialsNotFound',
        `step-ca hands out no encrypted key for provisioner ${name}; put it into Secret ${secretRef.name} as "key"`,
      );
    const where = handedOut ? `that step-ca hands out for ${name}` : `in Secret ${secretRef.name}`;
    const key = await this.#keys.open(encrypted, credentials.password, where);
    if (key.thumbprint !== thumbprint)
      throw new AuthorityError(
        'CredentialsRefused',
        `the key ${where} is not that of step-ca's provisioner ${name}, which has the kid ${kid}`,
      );
    return { ...listed, key };
  }
}

/** What step-ca's own template makes of a request; it knows no other usages, and takes nothing but names from a token. */
function refuseWhatNeedsATemplate({ identity, publicKey }: IssueRequest, provisioner: string): void {
  const { commonName, ...others } = identity.subject;
  const isRsa = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyType === 'rsa';
  const made = ['digital signature', 'server auth', 'client auth', ...(isRsa ? ['key encipherment'] : [])];
  const problem =
    (commonName === undefined && 'puts a common name into every certificate') ||
    (Object.values(others).some((value) => value !== undefined && value.length > 0) &&
      'keeps nothing of the subject but the common name') ||
    (!isDeepStrictEqual(canonicalUsages(identity.usages), canonicalUsages(made)) &&
      `gives every certificate the usages ${made.join(', ')}`);
  if (problem)
    throw new DeniedError(
      'UnsupportedByAuthority',
      `provisioner ${provisioner} has step-ca's own template, which ${problem}; give it the template of docs/authorities/step-ca.md`,
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
