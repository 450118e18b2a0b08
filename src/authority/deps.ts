import type { AnyCertificateAuthority, CertificateAuthority } from '../api/certificate-authority.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Buckets } from '../queue/bucket.ts';
import type { SlowWork } from '../queue/slow-work.ts';
import type { Generation, NewGeneration } from '../rotation/generation.ts';
import type { GenerationSecret } from '../rotation/generation-secret.ts';
import type { Member } from '../rotation/rotation.ts';
import type { Consumer, Demand } from './demand.ts';
import type { Registry } from './registry.ts';
import type { Runtime } from './runtime.ts';

/** What the reconcile of authorities reaches the world by. */
export interface AuthorityDeps {
  find(key: string): AnyCertificateAuthority | undefined;
  readonly registry: Registry;
  start(resource: CertificateAuthority): Runtime;
  /** The Secrets that keep CA generations of this authority, the unreadable ones too. */
  generationSecrets(key: string): readonly GenerationSecret[];
  members(key: string): readonly Member[];
  /** The ClientCertificates that it serves. */
  consumers(resource: CertificateAuthority): readonly Consumer[];
  /** Makes a new one; `beside` are the uids of the others that are in use. */
  createGeneration(resource: CertificateAuthority, generation: NewGeneration, beside: readonly string[]): Promise<void>;
  /** Writes the annotations of one that is stored. */
  writeGeneration(resource: CertificateAuthority, generation: Generation, beside: readonly string[]): Promise<void>;
  deleteGeneration(generation: Generation): Promise<void>;
  writeStatus(resource: AnyCertificateAuthority, status: AuthorityStatus): Promise<void>;
  /** How often the status of one authority may be written. */
  readonly statusWrites: Buckets;
  recordEvent(resource: AnyCertificateAuthority, event: EventText): void;
  /** Something that certificates look at has changed. */
  wakeCertificates(key: string): void;
  readonly metrics: AuthorityMetrics;
  readonly assertLeading: () => void;
  /** How long workloads are given to load a Secret that changed. */
  readonly trustPropagationMs: number;
  /** Where the making of CA keys waits that takes long. */
  readonly slowWork: Pick<SlowWork, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** From when to when a CA can sign. */
export interface CaLife {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface AuthorityMetrics {
  /** `ca` is the life of the CA that signs, if one does. */
  show(resource: AnyCertificateAuthority, ready: boolean, ca: CaLife | undefined): void;
  showDemand(resource: CertificateAuthority, demand: Demand): void;
  /** It is gone. */
  hide(key: string): void;
}
