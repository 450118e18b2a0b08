import type { BackendDeps } from '../backend-deps.ts';
import type { HttpOptions } from './client.ts';

/** `caBundle` of a spec, which is PEM in base64 (`format: byte`). */
export function pemOf(caBundle: string | undefined): string | undefined {
  return caBundle === undefined ? undefined : Buffer.from(caBundle, 'base64').toString('latin1');
}

/** What of HttpOptions follows from a spec and from what every backend gets. */
export function connectionOf(
  { caBundle }: { readonly caBundle?: string | undefined },
  { addresses, clock, objects }: Pick<BackendDeps, 'addresses' | 'clock' | 'objects'>,
): Pick<HttpOptions, 'caBundle' | 'rules' | 'namespace' | 'clock'> {
  return { caBundle: pemOf(caBundle), rules: addresses, namespace: objects.namespace, clock };
}
