import type { AnyCertificateAuthority, CertificateAuthority } from '../api/certificate-authority.ts';
import type { NewCondition } from '../api/conditions.ts';
import type { AuthorityStatus, TrustStatus, VerifierStatus } from '../api/generated/types.ts';
import type { EventText } from '../certificate/status/events.ts';
import type { Buckets } from '../queue/bucket.ts';
import type { Revocations } from '../revocation/revocations.ts';
import type { RevocationFindings } from '../revocation/status.ts';
import type { Consumer, RotationDeps } from '../rotation/deps.ts';
import type { GenerationSecret } from '../rotation/generation-secret.ts';
import type { Demand } from './demand.ts';
import type { FallbackFinding } from './fallback-status.ts';
import type { Fallbacks } from './fallbacks.ts';
import type { Ledgers } from './ledgers.ts';
import type { Registry } from './registry.ts';
import type { RotationFindings } from './rotation-status.ts';
import type { Runtime } from './runtime.ts';

/** What the reconcile of authorities reaches the world by. */
export interface AuthorityDeps extends RotationDeps {
  find(key: string): AnyCertificateAuthority | undefined;
  readonly registry: Registry;
  /** Whether another replica reconciles the authority of that key, and this one only signs for it; without it none. */
  readonly isFollowed?: ((key: string) => boolean) | undefined;
  /** Whether this replica reconciles the ClientCertificate of that key; without it all. */
  readonly isOurs?: ((key: string) => boolean) | undefined;
  /** Brings what `find` answers of an authority up to date, whatever its watch has brought. */
  readAuthority(resource: CertificateAuthority): Promise<void>;
  /** See proveMembers. */
  prove(key: string, signal: AbortSignal): Promise<void>;
  start(resource: CertificateAuthority): Runtime;
  /** The Secrets that keep CA generations of this authority, the unreadable ones too. */
  generationSecrets(key: string): readonly GenerationSecret[];
  /** The ClientCertificates that it serves. */
  consumers(resource: CertificateAuthority): readonly Consumer[];
  /** What is known of its trust targets; undefined where it has none. */
  trustStatus(resource: CertificateAuthority): TrustStatus | undefined;
  /** About the CRLs in its trust targets. */
  crlCondition(resource: CertificateAuthority): NewCondition[];
  /** What its verifiers answered last. */
  verifiers(resource: CertificateAuthority): readonly VerifierStatus[];
  writeStatus(resource: AnyCertificateAuthority, status: AuthorityStatus): Promise<void>;
  /** How often the status of one authority may be written. */
  readonly statusWrites: Buckets;
  recordEvent(resource: AnyCertificateAuthority, event: EventText): void;
  readonly fallbacks: Pick<Fallbacks, 'look' | 'follow' | 'forget' | 'problemOf'>;
  /** The fallback that the authority names, as it is now. */
  fallbackOf(resource: CertificateAuthority): FallbackFinding | undefined;
  readonly ledgers: Pick<Ledgers, 'write' | 'forget'>;
  readonly revocations: Pick<Revocations, 'learn' | 'look' | 'follow' | 'forget'>;
  /** Something that certificates look at has changed. */
  wakeCertificates(key: string): void;
  /** The turn of these certificates has come. */
  wakeReleased(keys: readonly string[]): void;
  readonly metrics: RotationDeps['metrics'] & AuthorityMetrics;
}

/** From when to when a CA can sign. */
export interface CaLife {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface AuthorityMetrics {
  /** `ca` is the life of the CA that signs, if one does. */
  show(resource: AnyCertificateAuthority, ready: boolean, ca: CaLife | undefined): void;
  showRotation(resource: CertificateAuthority, findings: RotationFindings): void;
  showRevocations(resource: CertificateAuthority, found: RevocationFindings): void;
  showDemand(resource: CertificateAuthority, demand: Demand): void;
  /** The fallback that it names; undefined for none. */
  showFallback(resource: AnyCertificateAuthority, fallback: string | undefined, ready: boolean): void;
  /** It is gone. */
  hide(key: string): void;
}
