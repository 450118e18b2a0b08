import type { ClientCertificateSpec } from '../../../src/api/generated/types.ts';
import type { KeySpec } from '../../../src/pki/keys.ts';
import { usagesProblem } from '../../../src/pki/usages.ts';

type Usages = NonNullable<ClientCertificateSpec['usages']>;

const OTHERS: Readonly<Usages> = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'server auth',
  'email protection',
];

/** Whatever the API admits beside client auth for a key of that kind. */
export function usagesFor(keySpec: KeySpec): readonly Usages[] {
  return subsets(OTHERS)
    .map((others): Usages => ['client auth', ...others])
    .filter((usages) => usagesProblem(usages, keySpec) === undefined);
}

function subsets<T>([first, ...rest]: readonly T[]): readonly T[][] {
  if (first === undefined) return [[]];
  const without = subsets(rest);
  return [...without, ...without.map((some) => [first, ...some])];
}
