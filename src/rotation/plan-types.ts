import type { Advance } from '../api/ca-rotation.ts';
import type { Generation, LivingState } from './generation.ts';
import type { TrustProof } from './trust-proof.ts';

/** What a certificate of the authority means for its CA rotation. */
export interface Member {
  /** namespace/name of the ClientCertificate, or what else names the certificate for people. */
  readonly key: string;
  readonly namespace: string;
  /** Fingerprints of the CA certificate that signed what it holds, and of those in its ca.crt to which that leads. */
  readonly issuerFingerprint: string | undefined;
  /** See caKeyId; that of the CA certificate that signed. */
  readonly issuerKeyId?: string;
  readonly anchorFingerprints: readonly string[];
  readonly trustBundleHash: string;
  /**
   * For a member of an authority whose fallback this one is: what `trustBundleHash` is once its ca.crt holds the CA
   * certificates of both; none that it can be while that isn't known. Undefined for a member of this authority.
   */
  readonly wantedHash?: string;
  readonly notAfter: Date | undefined;
  /** Known from status alone: it may hold up a step, and speaks for no generation. */
  readonly fromStatus?: true;
}

/** How a CA rotation of one authority goes: `spec.caRotation` with its defaults. */
export interface RotationTerms {
  /** Whether it stops before the new CA signs and before the former one is removed. */
  readonly isManual: boolean;
  readonly isPaused: boolean;
  /** How long workloads are given to load a Secret that changed. */
  readonly propagationMs: number;
  /** How long a CA is trusted before it signs. */
  readonly soakMs: number;
  /** How long members that can't be written may keep a new CA from signing; in the namespace of the authority, and elsewhere. */
  readonly progressDeadlineMs: number;
  readonly elsewhereDeadlineMs: number;
  /** The namespace in which the authority has its own Secrets. */
  readonly home: string;
  /** How long a CA stays trusted after its last certificate. */
  readonly retireAfterMs: number;
  /** The step that a person asked for, and the generation that is never to sign again. */
  readonly advance: Advance | undefined;
  readonly rollback: number | undefined;
}

export interface Rotation {
  readonly generations: readonly Generation[];
  /** The type of the authority, where Certwheel holds its CA key; see isPresent. */
  readonly source: string | undefined;
  /** The id of the CA pair that is to sign; undefined where its source can't be read, so that all stays as it is. */
  readonly wanted: string | undefined;
  /** See OfferedCa; of the CA that is to sign. */
  readonly issuerRef?: string | undefined;
  /**
   * The ids of the CAs that another machine may sign with, where it alone decides which of them does; the first of them that
   * is no generation yet is `wanted`. Undefined where that isn't known.
   */
  readonly stated?: ReadonlySet<string> | undefined;
  readonly members: readonly Member[];
  readonly trustBundleHash: string;
  /** Fingerprints of the CA certificates of its fallback, which may have signed what members hold. */
  readonly further?: ReadonlySet<string>;
  readonly terms: RotationTerms;
  /** How long certificates of the authority live at most; undefined where only the end of its CA bounds that. */
  readonly longestLifeMs: number | undefined;
  /** What the verifiers and the places that they read are shown to trust. */
  readonly proofs: (generation: Generation) => readonly TrustProof[];
  /** Where its CRL is published, and where verifiers read it; none where the authority keeps no CRLs. */
  readonly crlProofs?: (generation: Generation) => readonly TrustProof[];
}

/** The next step of a CA rotation: always one write, so that a crash between two steps leaves a state that goes on. */
export type Step =
  | { readonly do: 'settle'; readonly recheckAt: Date | undefined }
  /** A pair that isn't a generation yet becomes one. It may sign at once only where nothing else can. */
  | { readonly do: 'create'; readonly state: 'Pending' | 'Active' }
  /** Its annotations are written anew, as they were read. */
  | { readonly do: 'mark'; readonly generation: Generation }
  /** Its gate has opened, or closed again. */
  | { readonly do: 'note'; readonly generation: Generation }
  | { readonly do: 'move'; readonly generation: Generation; readonly to: LivingState }
  | { readonly do: 'retire'; readonly generation: Generation }
  /** The generation signs again, and `rejected` never. */
  | { readonly do: 'rollBack'; readonly generation: Generation; readonly rejected: Generation };

/** What keeps a step from being taken. A word for status and metrics; never renamed. */
export type HoldReason =
  | 'Paused'
  | 'MembersLackTrust'
  | 'TrustNotProven'
  | 'CRLNotDelivered'
  | 'Propagating'
  | 'Soaking'
  | 'CertificatesInUse'
  | 'ReissueStopped'
  | 'RetireAfter'
  | 'WaitingForApproval';

/** Why the next step has to wait. */
export interface Hold {
  readonly reason: HoldReason;
  /** What has to be the case, as a clause. */
  readonly message: string;
  /** When the answer may be another without any event. */
  readonly until: Date | undefined;
  /** When it is waited no longer, whatever is the case; undefined where there is no such moment. */
  readonly deadline?: Date | undefined;
  /** The certificates, verifiers, or places that verifiers read, that hold it up; each with what it lacks, where that is known. */
  readonly waitingFor: readonly string[];
}

/** A change of state that waits behind gates. */
export interface Move {
  readonly generation: Generation;
  readonly to: 'Prepared' | 'Trusted' | 'Active' | 'Retired';
}

export interface Plan {
  readonly step: Step;
  /** The change of state that comes next, and what keeps it from being made. */
  readonly next: Move | undefined;
  readonly hold: Hold | undefined;
  /** What holds the step up, for people to read. */
  readonly waitingFor: readonly string[];
  /** Certificates for which the next step waits no longer. */
  readonly leftBehind: readonly string[];
}

/** A step that waits for nothing. */
export function planFor(step: Step): Plan {
  return { step, next: undefined, hold: undefined, waitingFor: [], leftBehind: [] };
}
