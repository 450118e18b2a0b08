import { SECRETS } from '../../../src/api/names.ts';
import { root } from '../../pki/make.ts';
import { type CloudflareFake, type FakeToken, startCloudflareFake } from './cloudflare-fake.ts';
import { FakeZone } from './cloudflare-fake-zone.ts';
import type { Exchange } from './intercepting-proxy.ts';
import type { Place } from './subject.ts';

export const TOKEN_SECRET = 'cloudflare-token';
const LIFE = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 5_000 * 3_600_000) };

/** The managed CA has that name at Cloudflare, with digits that are the account's. */
export const managedCa = () => root({ commonName: 'Managed CA 0123456789abcdef', ...LIFE });

export interface CloudflareWorld {
  readonly fake: CloudflareFake;
  /** PEM of the CA that signs. */
  readonly caPem: string;
}

export async function startCloudflare(quota = 5_000): Promise<CloudflareWorld> {
  const ca = await managedCa();
  const zone = new FakeZone(ca);
  zone.quotas.certificates = quota;
  return { fake: await startCloudflareFake(zone), caPem: ca.certificate.pem };
}

export const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A token that the fake knows. */
export function newToken({ tokens }: CloudflareFake, token: Partial<FakeToken> = {}): string {
  const value = `token-${tokens.size}-of-the-fake-0123456789`;
  tokens.set(value, { status: 'active', access: 'write', ...token });
  return value;
}

/** Puts a token into the Secret that `cloudflareSpec` names, with the newline that editors leave behind. */
export async function putToken({ world, namespace }: Place, token: string): Promise<void> {
  const data = { token: base64(`${token}\n`) };
  await world.client.apply(SECRETS, { metadata: { namespace, name: TOKEN_SECRET }, type: 'Opaque', data });
}

/** `spec.cloudflare` for the fake, unless told otherwise. */
export function cloudflareSpec({ fake, caPem }: CloudflareWorld, spec: Readonly<Record<string, unknown>> = {}) {
  return {
    server: fake.url,
    caBundle: base64(fake.ca),
    zone: fake.zone.zone,
    apiTokenSecretRef: { name: TOKEN_SECRET, key: 'token' },
    trustBundle: { inline: caPem },
    maxCertificates: 2_000,
    revokeAfter: '5m',
    ...spec,
  };
}

export function asksForCertificate({ method, path }: Exchange): boolean {
  return method === 'POST' && path.endsWith('/client_certificates');
}
