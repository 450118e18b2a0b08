import { randomBytes } from 'node:crypto';
import { parseKeySpec } from '../api/client-certificate.ts';
import { parseDuration } from '../api/duration.ts';
import type { SelfManagedBackend } from '../api/generated/types.ts';
import { type CaPair, type CaPath, caPath } from '../pki/ca.ts';
import { successorDue } from '../pki/ca-life.ts';
import { caSigner } from '../pki/ca-signer.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { makeRoot, newSerialNumber } from '../pki/issue.ts';
import { encodePrivateKey, generateKey, type KeySpec, type PrivateKey, publicKeyDer } from '../pki/keys.ts';
import type { Aside } from '../pki/signer.ts';
import type { BackendDefinition, BackendDeps } from './backend.ts';
import { OWN_CA_CAPABILITIES, ownCA } from './shared/own-ca.ts';

const TEN_YEARS_MS = 87_600 * 3_600_000;

/** A root CA that Certwheel makes, keeps, and replaces by the next one when two thirds of its life are over. */
export const selfManaged: BackendDefinition<SelfManagedBackend> = {
  type: 'selfManaged',
  capabilities: OWN_CA_CAPABILITIES,
  permissions: [],
  create: (spec, deps) => {
    // Of a root that isn't stored yet, or that was refused: the next look goes on with it.
    let made: PrivateKey | undefined;
    return {
      ...ownCA(deps),
      makesCA: true,
      keyPair: async (newest, nextVersion, _signal, aside) => {
        const isCurrent = newest !== undefined && deps.clock.now() < successorDue(newest.certificate);
        if (isCurrent || (made !== undefined && isKeyOf(newest, made))) made = undefined;
        if (isCurrent) return newest;
        made ??= await makeKey(parseKeySpec(spec.privateKey), aside);
        return makePair(spec, made, nextVersion, deps);
      },
    };
  },
};

function isKeyOf(path: CaPath | undefined, key: PrivateKey): boolean {
  return path?.certificate.publicKeyDer.equals(publicKeyDer(key)) === true;
}

function makeKey(spec: KeySpec, aside: Aside): Promise<PrivateKey> {
  return spec.algorithm === 'RSA' ? aside(() => generateKey(spec)) : generateKey(spec);
}

async function makePair(
  spec: SelfManagedBackend,
  key: PrivateKey,
  version: number,
  { clock }: BackendDeps,
): Promise<CaPair> {
  const now = clock.now();
  const signer = caSigner(key, encodePrivateKey(key, 'PKCS8'));
  const lifeMs = parseDuration(spec.duration) ?? TEN_YEARS_MS;
  const der = await makeRoot({
    // Two CAs of one name confuse verifiers that look for an issuer by name, so each generation has a name of its own.
    subject: { ...spec.subject, commonName: `${spec.commonName} v${version}` },
    signer,
    serialNumber: newSerialNumber(randomBytes(16)),
    notBefore: new Date(Math.floor(now.getTime() / 1000) * 1000),
    notAfter: new Date(Math.floor((now.getTime() + lifeMs) / 1000) * 1000),
  });
  return { ...caPath([parseCertificate(der)]), signer };
}
