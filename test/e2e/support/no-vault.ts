import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { createSecret } from './edits.ts';
import type { World } from './world.ts';

/** Puts a token into the Secret `token`, for authorities whose server is one of the test in place of a Vault. */
export function createToken(world: World, namespace: string): Promise<unknown> {
  const values = { token: 'hvs.token', 'access-key-id': 'AKIA', 'secret-access-key': 'secret' };
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, btoa(value)]));
  return createSecret(world, namespace, 'token', { data });
}

/** An authority that takes what listens at this port of this host for a Vault, and shows it that token. */
export function createVaultAt(
  { client }: World,
  port: number,
  metadata: { readonly namespace: string; readonly name: string },
  more: { readonly caBundle?: string } = {},
): Promise<RawObject> {
  const auth = { tokenSecretRef: { name: 'token' } };
  const vault = { server: `https://127.0.0.1:${port}`, role: 'client', auth, ...more };
  return client.create(CERTIFICATE_AUTHORITIES, { metadata, spec: { vault } });
}
