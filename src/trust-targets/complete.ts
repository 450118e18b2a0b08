import { isInCluster, type TrustTarget } from '../api/trust-targets.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import type { Trouble } from '../trouble.ts';
import { storesBytes, tooLargeWith, withCrls } from './crl-file.ts';
import { type DesiredTarget, withStores } from './desired.ts';
import { remoteStores } from './remote.ts';
import { type TrustStores, trustStores } from './stores.ts';
import type { SurveyedCrls } from './survey.ts';
import type { TargetCrls } from './target-crls.ts';
import { MOST_BYTES } from './view.ts';

/** The targets with all that their objects must hold. `crls` is undefined where no target has room for CRLs. */
export async function complete(
  wanted: readonly DesiredTarget[],
  bundle: TrustBundle,
  crls: TargetCrls | undefined,
): Promise<{ readonly targets: readonly DesiredTarget[]; readonly crls: SurveyedCrls | undefined }> {
  const tooLarge: string[] = [];
  const targets = await withStores(wanted, async (target) => {
    const stores = await (remoteStores(target) ?? trustStores(bundle, target.formats));
    const full = isInCluster(target) ? storesTooLarge(target, stores, bundle) : undefined;
    if (full !== undefined) return { stores, unready: full };
    if (crls === undefined || target.crlKey === undefined) return { stores };
    // Without the CRLs the key would go, and servers that demand one would refuse everybody.
    if (crls.unread !== undefined)
      return { stores, unready: { code: 'TrustTargetPending' as const, message: crls.unread } };
    const problem = tooLargeWith(`target ${target.name}`, stores, crls.set.pem, bundle.pem);
    if (problem === undefined) return { stores: withCrls(stores, target.crlKey, crls.set) };
    tooLarge.push(problem);
    return { stores };
  });
  return { targets, crls: crls && { ...crls, tooLarge } };
}

/** The CA certificates alone may fit. Without the trust stores the object would trust another bundle in them than in ca.crt. */
function storesTooLarge(target: TrustTarget, stores: TrustStores, { pem }: TrustBundle): Trouble | undefined {
  const bytes = Buffer.byteLength(pem) + storesBytes(stores);
  if (bytes <= MOST_BYTES) return undefined;
  return {
    code: 'TrustBundleTooLarge',
    message: `the CA certificates have ${bytes} bytes with the trust stores of target ${target.name}, and an object of Kubernetes takes ${MOST_BYTES}; leave a format out of additionalFormats, or remove CA certificates that are not needed any more`,
  };
}

/** Whether a target has room for CRLs. */
export function wantsCrls({ trustTargets }: { readonly trustTargets: readonly TrustTarget[] }): boolean {
  return trustTargets.some(({ crlKey }) => crlKey !== undefined);
}
