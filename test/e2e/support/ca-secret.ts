import { CERTIFICATE_AUTHORITIES, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { AT_ONCE } from './objects.ts';
import { type CaFiles, makeCa } from './openssl.ts';
import type { World } from './world.ts';

/** The content of the Secret of a CA pair. */
export function pairData({ certificate, key, root }: Omit<CaFiles, 'x509'>): Record<string, string> {
  return { 'tls.crt': certificate, 'tls.key': key, ...(root === undefined ? {} : { 'ca.crt': root }) };
}

/** Writes the Secret of a CA pair as an operator does, or another pair in place of the former. */
export async function putCaSecret(
  { client }: World,
  namespace: string,
  name: string,
  content: Readonly<Record<string, string>>,
): Promise<void> {
  const data = Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, Buffer.from(value, 'latin1').toString('base64')]),
  );
  await client.apply(SECRETS, { metadata: { namespace, name }, type: 'Opaque', data });
}

/** An authority of the backend `secret`. */
export function createSecretAuthority(
  { client }: World,
  namespace: string,
  name: string,
  secretName: string,
  spec: Record<string, unknown> = {},
): Promise<RawObject> {
  return client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name },
    spec: { secret: { name: secretName }, caRotation: AT_ONCE, ...spec },
  });
}

/** An authority `ca` of the backend `secret`, with its CA pair in the Secret `ca-pair`. */
export async function secretAuthority(world: World, namespace: string, ca?: CaFiles): Promise<void> {
  await putCaSecret(world, namespace, 'ca-pair', pairData(ca ?? (await makeCa('Test CA'))));
  await createSecretAuthority(world, namespace, 'ca', 'ca-pair');
}
