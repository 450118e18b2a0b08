import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { CAGeneration } from '../api/generated/types.ts';
import type { Audit } from '../audit/event.ts';
import type { Backend, Trust } from '../backends/backend.ts';
import type { SecretView } from '../certificate/secret/view.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Bucket } from '../queue/bucket.ts';
import type { SlowWork } from '../queue/slow-work.ts';
import type { Generation, NewGeneration } from './generation.ts';
import type { Member } from './plan-types.ts';
import type { TrustProof } from './trust-proof.ts';

/** A ClientCertificate that the authority serves, and the Secret of that name; another may own it, and it may not be proven yet. */
export interface Consumer {
  readonly resource: ClientCertificate;
  readonly secret: SecretView | undefined;
}

/** The authority whose CA is rotated, as it runs. */
export interface Rotating {
  readonly resource: CertificateAuthority;
  readonly definition: { readonly type: string };
  readonly backend: Pick<Backend, 'keyPair' | 'makesCA' | 'choosesCA' | 'tryToSign'>;
  /** What its backend said last of its CA. */
  readonly trusted: Trust;
  /** The CA certificates that came with its last certificate, where it states them so (see Trust). */
  readonly stated: readonly CertificateView[];
  /** See Alternation.note. */
  readonly alternating?: readonly CertificateView[];
  readonly generations: readonly Generation[];
  /** Undefined where it has no fallback, and no certificates of a former one. */
  readonly fallback?: FallbackTrust | undefined;
}

/** What an authority that has a fallback keeps of the trust of both. */
export interface FallbackTrust {
  /** The CA certificates of the authority itself, as they were known last. */
  readonly own: readonly CertificateView[];
  /** Those of its fallback, which are in every ca.crt too. */
  readonly further: readonly CertificateView[];
}

/** What the steps of a CA rotation read and write. */
export interface RotationDeps {
  members(key: string): readonly Member[];
  /** The ClientCertificates that the authority serves. */
  consumers(resource: CertificateAuthority): readonly Consumer[];
  /** Makes a new one; `beside` are the uids of the others that are in use. */
  createGeneration(resource: CertificateAuthority, generation: NewGeneration, beside: readonly string[]): Promise<void>;
  /** Writes the annotations of one that is stored. */
  writeGeneration(resource: CertificateAuthority, generation: Generation, beside: readonly string[]): Promise<void>;
  deleteGeneration(generation: Generation): Promise<void>;
  /** What verifiers, and the places that they read, are shown to trust of that generation. */
  proofs(key: string, generation: Generation): readonly TrustProof[];
  /** Where its CRL is published, and where verifiers read it; none where the authority keeps no CRLs. */
  crlProofs(key: string, generation: Generation): readonly TrustProof[];
  recordEvent(resource: CertificateAuthority, event: EventText): void;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  readonly metrics: {
    /** The step into that state waited no longer for some that blocked it. */
    overruled(resource: CertificateAuthority, to: CAGeneration['state']): void;
  };
  /** How many steps may be taken, by authority. */
  readonly registry: { paceOf(resource: CertificateAuthority): { readonly steps: Bucket } };
  readonly ownership: Ownership;
  /** How long workloads are given to load a Secret that changed. */
  readonly trustPropagationMs: number;
  readonly controllerNamespace: string;
  /** Where the making of CA keys waits that takes long. */
  readonly slowWork: Pick<SlowWork, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
}
