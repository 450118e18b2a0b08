import type { Identity } from '../api/client-certificate.ts';
import type { PolicyRule } from '../api/permissions.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { CaPair } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { KeySpec } from '../pki/keys.ts';

/** What is asked of an authority: one certificate over a key that it never sees. */
export interface IssueRequest {
  /** The same request has the same id, also after a crash; an authority that can, answers it with the same certificate. */
  readonly id: string;
  /** The ClientCertificate behind the request, for audit lines. */
  readonly requester: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** DER of a PKCS#10 request; made only when asked for, since an authority that holds its own CA key needs none. */
  csr(): Buffer;
  readonly identity: Identity;
  readonly lifetimeMs: number;
}

export interface Issued {
  /** Leaf first, then intermediates; whether it is right is proven by the caller before anything is published. */
  readonly chain: readonly CertificateView[];
  /** The CA generation that signed, where Certwheel holds the CA key. */
  readonly generation?: number | undefined;
  /** What the authority itself calls the certificate, where it needs that to find or revoke it. */
  readonly externalId?: string | undefined;
}

/** One configured authority. Every method may throw AuthorityError, RetryableError or DeniedError. */
export interface Authority {
  /** Proof of reach and credentials; the message of what it throws says which step failed. */
  check(signal: AbortSignal): Promise<void>;
  /** The CA certificates that verifiers must accept at this moment. */
  trust(signal: AbortSignal): Promise<readonly CertificateView[]>;
  issue(request: IssueRequest, signal: AbortSignal): Promise<Issued>;
  /**
   * Present where Certwheel itself holds the CA key: the pair to sign with from now on. `newest` is the latest that this
   * kind of authority has brought, `nextVersion` the number that another would get. A pair that isn't a generation yet
   * becomes one, and a CA rotation begins. Asked at each look, so it must answer the same until something has changed.
   */
  keyPair?(newest: CaPair | undefined, nextVersion: number, signal: AbortSignal): Promise<CaPair>;
}

export type IdentityField = 'subject' | 'commonName' | 'dnsNames' | 'uris' | 'emailAddresses' | 'ipAddresses';

/** What a kind of authority can do, whatever its configuration. */
export interface Capabilities {
  readonly identity: readonly IdentityField[];
  readonly keyAlgorithms: readonly KeySpec['algorithm'][];
  readonly usages: 'any' | readonly string[];
  /** Whether `issue` waits for another machine, and so may be slow. */
  readonly remote: boolean;
}

/** What Certwheel hands to an authority. */
export interface AuthorityDeps {
  /** `namespace/name`, or the name alone; for logs. */
  readonly name: string;
  /** A Secret of the authority's own namespace by name, kept up to date; undefined where there is none. */
  secret(name: string): Promise<SecretContent | undefined>;
  /** Where Certwheel holds the CA key: the generation that signs now, and all that verifiers must accept. */
  signing(): { readonly version: number; readonly pair: CaPair } | undefined;
  trusted(): readonly CaPair[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** The keys of a Secret, decoded. */
export type SecretContent = Readonly<Record<string, Buffer>>;

/** A kind of authority: one file of this folder, one line in `index.ts`. `Spec` is what stands under its key in `spec`. */
export interface AuthorityDefinition<Spec = unknown> {
  /** The key under `spec` of CertificateAuthority and ClusterCertificateAuthority. */
  readonly type: string;
  readonly capabilities: Capabilities;
  /** What it needs of the Kubernetes API beyond what every authority gets; becomes part of the ClusterRole. */
  readonly permissions: readonly PolicyRule[];
  create(spec: Spec, deps: AuthorityDeps): Authority;
}
