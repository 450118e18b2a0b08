import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import type { Crls } from './crl/crls.ts';
import type { Registered } from './register.ts';
import type { registerManifest } from './register-secret.ts';
import type { Issued } from './search.ts';

/** Watches over registers. */
export interface RegisterWatches {
  /** Calls `onChange` with each version that another writer may have written. Harmless where it is watched already. */
  watch(resource: CertificateAuthority, onChange: (resourceVersion: string | undefined) => void): void;
  leave(authority: string): void;
}

/** What the revocations of authorities need of the outside. */
export interface RevocationsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ownership: Ownership;
  /** Throws where this replica may not act: any that does may note down what is to be revoked. */
  assertActive(): void;
  /** Watches over the registers that several replicas write; undefined where one alone does. */
  readonly registers?: RegisterWatches | undefined;
  /** Where the Secrets of an authority are. */
  namespaceOf(resource: CertificateAuthority): string;
  read(namespace: string, name: string): Promise<RawObject | undefined>;
  /** Throws where it is stored otherwise than it was sent. */
  apply(manifest: ReturnType<typeof registerManifest>): Promise<RawObject>;
  /** The certificates, by serial number, that this authority has issued for sure. */
  issued(resource: CertificateAuthority): Promise<ReadonlyMap<string, Issued>>;
  /** Signs and publishes the CRLs of an authority whose CA key Certwheel holds. */
  readonly crls: Pick<Crls, 'look' | 'withdraw' | 'leave'>;
  wakeAuthority(key: string, at: Date): void;
  /** `namespace/name`. */
  wakeCertificate(key: string): void;
  /** All certificates behind an authority. */
  wakeMembers(authority: string): void;
  /** One certificate is to be revoked, or is, or the authority has answered no. */
  noted(resource: CertificateAuthority, entry: Registered): void;
  revoked(resource: CertificateAuthority, entry: Registered): void;
  refused(resource: CertificateAuthority, entry: Registered, message: string): void;
}
