import { ApiError, RetryableError } from '../../errors.ts';

/** What became of a Secret that was created and is stored otherwise than it was sent. */
export type Remainder = 'removed' | 'emptied' | 'left';

/**
 * Takes a Secret back that no workload can use, and that a later run may not find. Where an admission policy lets Certwheel delete
 * no such Secret, at least its key goes.
 */
export async function takeBack(remove: () => Promise<unknown>, empty: () => Promise<unknown>): Promise<Remainder> {
  try {
    await remove();
    return 'removed';
  } catch (error) {
    // What else goes wrong is no matter of policy.
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
  }
  return empty().then(
    () => 'emptied',
    () => 'left',
  );
}

const REMAINS: Readonly<Record<Remainder, string>> = {
  removed: '',
  emptied: '; Certwheel may not delete the Secret, which holds no certificate that can be used',
  left: '; Certwheel may not delete the Secret, which holds a private key',
};

/** A Secret that was stored otherwise than it was sent; with what to do about it, where it is still there and of no use. */
export function alteredError(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  field: string,
  remainder: Remainder = 'removed',
): RetryableError {
  const remains =
    remainder === 'removed' ? '' : `${REMAINS[remainder]}; delete it: kubectl delete secret -n ${namespace} ${name}`;
  return new RetryableError(
    'SecretAltered',
    `Secret ${name} is stored otherwise than Certwheel sent it (${field}), so a mutating admission webhook or policy changes it; exempt the Secrets with labels of certwheel.io from it${remains}`,
  );
}
