import type { RateLimit } from '../api/certificate-authority.ts';
import type { Identity } from '../api/client-certificate.ts';
import type { PolicyRule } from '../api/permissions.ts';
import type { RevocationReason } from '../api/revocation.ts';
import type { AuthorityError, CertwheelError } from '../errors.ts';
import type { CaPair, CaPath } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { KeySpec } from '../pki/keys.ts';
import type { Aside } from '../pki/signer.ts';
import type { BackendDeps } from './backend-deps.ts';

/** What is asked of an authority: one certificate over a key that it never sees. */
export interface IssueRequest {
  /**
   * The same request has the same id, also after a crash; an authority that can, answers it with the same certificate.
   * At most 63 letters, digits and dashes.
   */
  readonly id: string;
  /** What the authority answered to this request before, if that was Pending: it is asked for the outcome. */
  readonly ticket?: string | undefined;
  /** The ClientCertificate behind the request, for audit lines. */
  readonly requester: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** The rule of the issuance policy that permits it, for audit lines; undefined where none is needed. */
  readonly rule?: string | undefined;
  /** The user that requested it, for audit lines; `unverified` where that may be forged. */
  readonly requestedBy?: string | undefined;
  /**
   * Called by an authority that signs here, before the signature exists, so that none can exist that the audit log doesn't know of.
   */
  signing?(signing: Signing): void;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** DER of a PKCS#10 request; made only when asked for, since an authority that holds its own CA key needs none. */
  csr(): Buffer;
  /** What a client's own CSR asks for, with cert-manager's names; undefined where Certwheel makes the CSR. */
  readonly csrUsages?: readonly string[] | undefined;
  readonly identity: Identity;
  readonly lifetimeMs: number;
  /** When the certificate ends that it is to replace; undefined where there is none. */
  readonly replacedEnds?: Date | undefined;
  /** Reads the certificate that it is to replace; undefined where there is none. Called only where the authority wants to know. */
  replaced?(): Promise<CertificateView | undefined>;
}

/** What is about to be signed, or was signed. */
export interface Signing {
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** Lower-case hex of the SHA-256 of the CA certificate; undefined where it is unknown. */
  readonly issuer: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** See Issued. */
  readonly generation: number | undefined;
}

export interface Issued {
  /** Leaf first, then intermediates; whether it is right is proven by the caller before anything is published. */
  readonly chain: readonly CertificateView[];
  /** The CA generation that signed, where Certwheel holds the CA key. */
  readonly generation?: number | undefined;
  /** What the authority itself calls the certificate or its request: kept with it, to find it by in the books over there. */
  readonly externalId?: string | undefined;
  /** The CA certificates that came with the answer: what to trust where `trust` knows of none. */
  readonly ca?: readonly CertificateView[] | undefined;
  /**
   * Where another answer to the same request may follow one that the caller refuses: what to throw then. Without it the
   * request is abandoned.
   */
  readonly refused?: ((error: CertwheelError) => CertwheelError) | undefined;
}

/** Not yet: the same request is to be made again later, with this ticket. */
export interface Pending {
  /** How the authority finds the request again; `request.id` itself where that is enough. */
  readonly ticket: string;
  readonly pollAfterMs: number;
  /** Name of the ConfigMap in the requester's namespace that the answer will be written into: a change of it is a reason to poll. */
  readonly answeredIn?: string | undefined;
  /** What is waited for, for people. The same as long as the same is waited for, since it stands in status. */
  readonly message: string;
}

export function isPending<T extends object>(answer: T | Pending): answer is Pending {
  return 'ticket' in answer;
}

/** The CA certificates of an authority. */
export interface Trust {
  /** What verifiers must accept, and what belongs into ca.crt: roots, unless partial chains are allowed. */
  readonly anchors: readonly CertificateView[];
  /** CAs below the anchors that an answer may come without. */
  readonly intermediates: readonly CertificateView[];
  /** The CA that is to sign, where the backend has `choosesCA`: it becomes a generation, and a CA rotation begins. */
  readonly offered?: OfferedCa | undefined;
  /** Why the CA that the spec names is not offered, while the one that signs goes on. */
  readonly refusal?: AuthorityError | undefined;
  /** Whether the authority states its CA with each certificate instead (see Issued), so that there is nothing to read here. */
  readonly isStatedWithAnswers?: boolean;
}

/** One of the CAs whose keys another machine holds. */
export interface OfferedCa {
  /** What that machine calls it: the same as long as it is the same CA. */
  readonly ref: string;
  readonly path: CaPath;
}

export const NO_TRUST: Trust = { anchors: [], intermediates: [] };

export interface Revocation {
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** DER of the certificate, where it is at hand. */
  readonly leaf?: Buffer | undefined;
  /** See Issued. */
  readonly externalId?: string | undefined;
}

/** What an authority suggests about the renewal of a certificate. */
export interface RenewalInfo {
  /** Undefined where it suggests nothing. */
  readonly suggested: Date | undefined;
  readonly askAgainInMs: number;
}

/** A request that is over; `isAbandoned` where its answer, if there was one, was of no use. */
export type ForgottenRequest = Pick<IssueRequest, 'id' | 'ticket' | 'requester'> & { readonly isAbandoned?: boolean };

/** One configured authority. Every method may throw AuthorityError, RetryableError or DeniedError. */
export interface Backend {
  /** What the last good `check` has shown, for people; by default that it can be reached and takes the credentials. */
  readonly verified?: string | (() => string);
  /** What people should know of one that can issue, as the last `check` has found it; the rest of a sentence. */
  warning?(): string | undefined;
  /** Proof of reach and credentials; the message of what it throws says which step failed. */
  check(signal: AbortSignal): Promise<void>;
  /** The CA certificates that verifiers must accept at this moment. */
  trust(signal: AbortSignal): Promise<Trust>;
  /**
   * Throws DeniedError where the answer is no, RetryableError with the code RequestFailed where this request came to
   * nothing and another one may do better; after any other error the same request is made again.
   */
  issue(request: IssueRequest, signal: AbortSignal): Promise<Issued | Pending>;
  /**
   * The request is over, whatever became of it: what was made for it is removed. Called once its certificate is
   * published, or when it is no longer wanted; possibly more than once. Present where there is something to remove. A
   * writer of Secrets in the requester's namespace may have forged all of it but that namespace.
   */
  forget?(request: ForgottenRequest, signal: AbortSignal): Promise<void>;
  /** Ends what it has started, such as a process: nothing is asked any more. Present where there is something to end. */
  close?(): void;
  /** Present where the authority can revoke. */
  revoke?(revocation: Revocation, reason: RevocationReason, signal: AbortSignal): Promise<void>;
  /** Present where the authority may suggest when a certificate is to be renewed; undefined where it does so for none. */
  renewalInfo?(
    leaf: Pick<CertificateView, 'authorityKeyId' | 'serialNumber'>,
    signal: AbortSignal,
  ): Promise<RenewalInfo | undefined>;
  /**
   * Whether another machine holds the keys of several CAs, and each request says which of them is to sign: the one of the
   * generation that signs, see BackendDeps. Of its anchors, `trust` then answers those that belong to no generation.
   */
  readonly choosesCA?: boolean;
  /** Whether that machine would sign with a CA that it offers (see OfferedCa), asked before anything trusts it. */
  tryToSign?(issuerRef: string, signal: AbortSignal): Promise<void>;
  /** Present where that machine signs whatever it is given, CRLs too: with the key of that CA. As Signer.sign has it. */
  signWith?(issuerRef: string, certificate: CertificateView, tbs: Uint8Array, signal: AbortSignal): Promise<Buffer>;
  /**
   * A certificate that is shown to verifiers beforehand, signed by a CA that it offers: leaf first. Present with
   * `choosesCA`. Throws DeniedError where it signs none of that name.
   */
  signProbe?(probe: ProbeRequest, signal: AbortSignal): Promise<readonly CertificateView[]>;
  /** Whether `keyPair` makes the CA itself, and so makes another one where there is no `newest`. */
  readonly makesCA?: boolean;
  /**
   * Present where Certwheel itself holds the CA key: the pair to sign with from now on. `newest` is the latest that this
   * kind of authority has brought and that can sign, `nextVersion` the number that another would get. A pair that isn't a generation yet
   * becomes one, and a CA rotation begins. Asked at each look, so it must answer the same until something has changed. A key or a
   * signature that takes long to make is made `aside`.
   */
  keyPair?(newest: CaPair | undefined, nextVersion: number, signal: AbortSignal, aside: Aside): Promise<CaPair>;
}

export interface ProbeRequest {
  /** See OfferedCa. */
  readonly issuerRef: string;
  /** DER of a PKCS#10 request. */
  readonly csr: Buffer;
  readonly lifetimeMs: number;
}

export type IdentityField = 'subject' | 'commonName' | 'dnsNames' | 'uris' | 'emailAddresses' | 'ipAddresses';

/** What a kind of authority can do, whatever its configuration. */
export interface Capabilities {
  readonly identity: readonly IdentityField[];
  readonly keyAlgorithms: readonly KeySpec['algorithm'][];
  readonly usages: 'any' | readonly string[];
  /**
   * What becomes of the life that is asked for, counted from now: granted to the second, possibly cut short, or snapped
   * to what the authority offers, which may be longer.
   */
  readonly lifetime: 'exact' | 'atMost' | 'rounded';
  /** Below this nothing can be asked for. */
  readonly shortestLifeMs?: number | undefined;
  /** Whether `issue` waits for another machine, and so may be slow. */
  readonly remote: boolean;
  /** What such a machine bears well, for an authority whose spec says nothing about it. */
  readonly rateLimit?: RateLimit | undefined;
  /** How many certificates one CA over there gives in its whole life, where that is limited. */
  readonly lifetimeQuota?: number | undefined;
  /**
   * Whether the private key must be kept while an answer is awaited: `issue` may answer Pending, or a lost answer can't
   * be asked for again without it.
   */
  readonly persistKey: boolean;
  /**
   * How long before its end a certificate is renewed at least where the spec has no renewBefore, but not before half of its
   * life: for an authority that needs so long to answer.
   */
  readonly leadMs?: number | undefined;
  /** Whether what was denied is asked again only for a change or a renew-at, and not after an hour: a person has decided. */
  readonly denialIsFinal?: boolean | undefined;
  /**
   * Whether the names come from the request alone, and the CSR isn't asked for. Otherwise what a client's own CSR says is
   * what the authority certifies, so it must say all that is asked for.
   */
  readonly signsPublicKey?: boolean | undefined;
}

/** So many requests in a second, and twice as many at once after a pause. */
export function perSecond(requests: number): RateLimit {
  return { requests, perMs: 1_000, burst: 2 * requests };
}

/** Whatever a ClientCertificate can ask for. */
export const ANY_CERTIFICATE = {
  identity: ['subject', 'commonName', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'],
  keyAlgorithms: ['ECDSA', 'Ed25519', 'RSA'],
  usages: 'any',
} as const satisfies Pick<Capabilities, 'identity' | 'keyAlgorithms' | 'usages'>;

/** A kind of authority: one file of this folder, one line in `index.ts`. `Spec` is what stands under its key in `spec`. */
export interface BackendDefinition<Spec = unknown> {
  /** The key under `spec` of CertificateAuthority and ClusterCertificateAuthority. */
  readonly type: string;
  readonly capabilities: Capabilities;
  /**
   * What it needs of the Kubernetes API beyond what every authority gets, in each namespace that is served; becomes part
   * of the ClusterRole, or of the Roles.
   */
  readonly permissions: readonly PolicyRule[];
  /** And what it needs of objects without a namespace: only where the whole cluster is served. */
  readonly clusterPermissions?: readonly PolicyRule[];
  create(spec: Spec, deps: BackendDeps): Backend;
}
