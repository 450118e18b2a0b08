import { randomUUID } from 'node:crypto';
import { type CertificateSpec, isBroken, parseClientCertificate } from '../../../src/api/client-certificate.ts';
import type { ClientCertificateSpec, SelfManagedBackend } from '../../../src/api/generated/types.ts';
import type { Backend, BackendDefinition, IssueRequest } from '../../../src/backends/backend.ts';
import type { BackendDeps, ReferencedData } from '../../../src/backends/backend-deps.ts';
import { secret } from '../../../src/backends/secret.ts';
import { selfManaged } from '../../../src/backends/self-managed.ts';
import type { CaPair } from '../../../src/pki/ca.ts';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { generateKey, type KeySpec, type PrivateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { type CaFiles, makeCa } from '../../e2e/support/openssl.ts';
import { describe, HOUR } from '../../pki/make.ts';
import { FakeClock } from '../../unit/fake-clock.ts';
import { leafOf } from '../../unit/issue-request.ts';
import { SILENT } from '../../unit/own-authority.ts';
import type { IdentitySpec } from './identities.ts';

/** An authority whose CA key Certwheel holds. It signs by the code of its backend. */
export interface Authority {
  readonly name: string;
  readonly pair: CaPair;
  /** Throws an Error where Certwheel takes the spec for broken. */
  issue(wish: LeafWish): Promise<CertificateView>;
}

/** The spec of a ClientCertificate, without the authority and the Secret. */
export type LeafWish = IdentitySpec &
  Partial<Pick<ClientCertificateSpec, 'usages' | 'duration'>> & { readonly privateKey?: KeySpec };

/** All kinds of keys that Certwheel makes. */
export const KEYS: readonly KeySpec[] = [
  { algorithm: 'ECDSA', size: 256 },
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'ECDSA', size: 521 },
  { algorithm: 'Ed25519' },
  { algorithm: 'RSA', size: 2048 },
  { algorithm: 'RSA', size: 3072 },
  { algorithm: 'RSA', size: 4096 },
];

const keys = new Map<string, Promise<PrivateKey>>();

/** One key of each kind, made when it is first asked for. */
export function keyOf(spec: KeySpec): Promise<PrivateKey> {
  const name = describe(spec);
  const key = keys.get(name) ?? generateKey(spec);
  keys.set(name, key);
  return key;
}

const { signal } = new AbortController();

async function authorityOf<Spec>(
  name: string,
  definition: BackendDefinition<Spec>,
  spec: Spec,
  { now, version = 1, secrets = {} }: { now: Date; version?: number; secrets?: Record<string, ReferencedData> },
): Promise<Authority> {
  let pair: CaPair | undefined;
  // What these backends use of it.
  const deps = {
    name: 'shop/ca',
    clock: new FakeClock(now),
    log: SILENT,
    objects: { namespace: 'shop' },
    secret: async (each: string) => secrets[each],
    state: { read: async () => undefined },
    signing: () => pair && { version, path: pair, signer: pair.signer },
    trusted: () => (pair === undefined ? [] : [pair]),
  } as unknown as BackendDeps;
  const backend: Backend = definition.create(spec, deps);
  pair = await backend.keyPair?.(undefined, version, signal, (work) => work());
  if (pair === undefined) throw new Error(`${name} holds no CA key`);
  return { name, pair, issue: async (wish) => leafOf(await backend.issue(await requestOf(wish), signal)) };
}

/** What Certwheel makes of a wish. Throws an Error where it takes the spec for broken. */
export function requestedBy(wish: LeafWish): Pick<CertificateSpec, 'identity' | 'durationMs' | 'key'> {
  // The usages of a wish without any are the default of the CRD.
  const usages = ['digital signature', 'client auth'];
  const spec = { authorityRef: { name: 'ca' }, secretName: 'client', usages, ...wish };
  const resource = parseClientCertificate({ metadata: { namespace: 'shop', name: 'client', uid: randomUUID() }, spec });
  if (isBroken(resource)) throw new Error(resource.problem);
  return resource.spec;
}

async function requestOf(wish: LeafWish): Promise<IssueRequest> {
  const { identity, durationMs, key } = requestedBy(wish);
  return {
    id: randomUUID(),
    requester: { namespace: 'shop', name: 'client', uid: randomUUID() },
    publicKey: publicKeyDer(await keyOf(key)),
    csr: () => Buffer.alloc(0),
    identity,
    lifetimeMs: durationMs,
  };
}

export type OwnRoot = Partial<Omit<SelfManagedBackend, 'privateKey'>> & { keySpec?: KeySpec; version?: number };

/** A root of the selfManaged backend. */
export function ownRoot(name: string, now: Date, { keySpec, version = 1, ...spec }: OwnRoot = {}): Promise<Authority> {
  const full = { commonName: 'Shop CA', duration: '87600h', privateKey: keySpec ?? { algorithm: 'ECDSA' }, ...spec };
  return authorityOf(name, selfManaged, full as SelfManagedBackend, { now, version });
}

/** A pair that OpenSSL has made, in a Secret of the secret backend. */
export async function fromSecret(name: string, now: Date, files: CaFiles): Promise<Authority> {
  const content = {
    'tls.crt': Buffer.from(files.certificate),
    'tls.key': Buffer.from(files.key),
    ...(files.root !== undefined && { 'ca.crt': Buffer.from(files.root) }),
  };
  return authorityOf(name, secret, { name: 'pair', partialChain: false }, { now, secrets: { pair: content } });
}

const DECADES = 30 * 365 * 24 * HOUR;

/** Pairs of OpenSSL: each kind of key that it makes, and an intermediate below a root of another kind. */
export async function secretAuthorities(now: Date): Promise<readonly Authority[]> {
  const dates = { notBefore: new Date(now.getTime() - 24 * HOUR), notAfter: new Date(now.getTime() + DECADES) };
  const roots = await Promise.all(
    (['RSA', 'P-256', 'P-384', 'Ed25519'] as const).map(async (keyKind) =>
      fromSecret(
        `${keyKind} root of OpenSSL`,
        now,
        await makeCa('Example Root', { keyKind, organization: 'Öxample', ...dates }),
      ),
    ),
  );
  const above = await makeCa('Example Root', { keyKind: 'RSA', ...dates });
  const below = await makeCa('Example Intermediate', {
    ...dates,
    issuer: above,
    extensions: [
      'basicConstraints = critical, CA:true, pathlen:0',
      'keyUsage = critical, keyCertSign, cRLSign',
      'subjectKeyIdentifier = hash',
      'authorityKeyIdentifier = keyid',
    ],
  });
  return [...roots, await fromSecret('P-256 intermediate below an RSA root of OpenSSL', now, below)];
}
