import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { TrustTarget } from '../api/trust-targets.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { Trouble } from '../trouble.ts';
import type { DesiredObject, DesiredTarget } from './desired.ts';
import type { TrustStores } from './stores.ts';
import type { TargetView } from './view.ts';

/** Targets that are at a provider: nothing says when they change, so they are read from time to time. */
export interface RemoteTargets {
  /** Begins to read those that are due, and has the authority looked at again once they are read. Never throws. */
  refresh(resource: CertificateAuthority, wanted: readonly DesiredTarget[], bundle: TrustBundle): void;
  /** What a target held when it was read last, as if it were an object of the cluster. */
  view(resource: CertificateAuthority, object: DesiredObject, bundle: TrustBundle): TargetView | undefined;
  /** Why nothing is known of it. */
  unknown(resource: CertificateAuthority, object: DesiredObject): Trouble | undefined;
  /** Makes it hold the bundle, and reads it back. Answers why it doesn't; throws nothing but an abort. */
  write(
    resource: CertificateAuthority,
    object: DesiredObject,
    bundle: TrustBundle,
    signal: AbortSignal,
  ): Promise<Trouble | undefined>;
  /** When the next one is due. */
  nextRead(authority: string): Date | undefined;
  forget(authority: string): void;
}

/** What a remote target holds beside certificates: its hostnames, compared as trust stores are. Undefined for other targets. */
export function remoteStores({ cloudflare }: TrustTarget): Promise<TrustStores> | undefined {
  return cloudflare && Promise.resolve({ id: hostnamesId(cloudflare.hostnames ?? []), files: {} });
}

export function hostnamesId(hostnames: readonly string[]): string {
  return [...new Set(hostnames)].sort().join();
}
