import type { Generation } from './generation.ts';

/** What a certificate of the authority means for its CA rotation. */
export interface Member {
  /** namespace/name of the ClientCertificate, or what else names the certificate for people. */
  readonly key: string;
  /** Fingerprints of the CA certificate that signed what it holds, and of those in its ca.crt to which that leads. */
  readonly issuerFingerprint: string | undefined;
  /** See caKeyId; that of the CA certificate that signed. */
  readonly issuerKeyId?: string;
  readonly anchorFingerprints: readonly string[];
  readonly trustBundleHash: string;
  readonly notAfter: Date | undefined;
  /** Known from status alone: it may hold up a step, and speaks for no generation. */
  readonly fromStatus?: true;
}

export interface Rotation {
  readonly generations: readonly Generation[];
  /** The type of the authority, where Certwheel holds its CA key; see isPresent. */
  readonly source: string | undefined;
  /** The id of the CA pair that is to sign; undefined where its source can't be read, so that all stays as it is. */
  readonly wanted: string | undefined;
  readonly members: readonly Member[];
  readonly trustBundleHash: string;
  /** How long workloads are given to load a Secret that changed. */
  readonly propagationMs: number;
  /** How long members that can't be written may keep a new CA from signing. */
  readonly progressDeadlineMs: number;
  /** How long certificates of the authority live at most; undefined where only the end of its CA bounds that. */
  readonly longestLifeMs: number | undefined;
  /** Since when no member has held up a step, by step and version; kept from run to run. */
  readonly clearSince: ReadonlyMap<string, Date>;
}

/** The next step of a CA rotation: always one write, so that a crash between two steps leaves a state that goes on. */
export type Step =
  | { readonly do: 'settle'; readonly recheckAt: Date | undefined }
  /** A pair that isn't a generation yet becomes one. It may sign at once only where nothing else can. */
  | { readonly do: 'create'; readonly state: 'Prepared' | 'Active' }
  /** Its annotations are written anew, as they were read. */
  | { readonly do: 'mark'; readonly generation: Generation }
  | { readonly do: 'move'; readonly generation: Generation; readonly to: 'Active' | 'Retiring' }
  | { readonly do: 'retire'; readonly generation: Generation };

export interface Plan {
  readonly step: Step;
  /** Certificates that hold up the next step, for people to read. */
  readonly waitingFor: readonly string[];
  /** Certificates for which the next step waits no longer. */
  readonly leftBehind: readonly string[];
  /** For the next look. */
  readonly clearSince: ReadonlyMap<string, Date>;
}
