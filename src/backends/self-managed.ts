import { randomBytes } from 'node:crypto';
import { parseKeySpec } from '../api/client-certificate.ts';
import { parseDuration } from '../api/duration.ts';
import type { SelfManagedBackend } from '../api/generated/types.ts';
import { type CaPair, caPair } from '../pki/ca.ts';
import { successorDue } from '../pki/ca-life.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { makeRoot, newSerialNumber } from '../pki/issue.ts';
import { encodePrivateKey, generateKey } from '../pki/keys.ts';
import type { BackendDefinition, BackendDeps } from './backend.ts';
import { OWN_CA_CAPABILITIES, ownCA } from './shared/own-ca.ts';

const TEN_YEARS_MS = 87_600 * 3_600_000;

/** A root CA that Certwheel makes, keeps, and replaces by the next one when two thirds of its life are over. */
export const selfManaged: BackendDefinition<SelfManagedBackend> = {
  type: 'selfManaged',
  capabilities: OWN_CA_CAPABILITIES,
  permissions: [],
  create: (spec, deps) => ({
    ...ownCA(deps),
    keyPair: async (newest, nextVersion) =>
      newest !== undefined && deps.clock.now() < successorDue(newest.certificate)
        ? newest
        : makePair(spec, nextVersion, deps),
  }),
};

async function makePair(spec: SelfManagedBackend, version: number, { clock }: BackendDeps): Promise<CaPair> {
  const key = await generateKey(parseKeySpec(spec.privateKey));
  const now = clock.now();
  const lifeMs = parseDuration(spec.duration) ?? TEN_YEARS_MS;
  const der = makeRoot({
    // Two CAs of one name confuse verifiers that look for an issuer by name, so each generation has a name of its own.
    subject: { ...spec.subject, commonName: `${spec.commonName} v${version}` },
    key,
    serialNumber: newSerialNumber(randomBytes(16)),
    notBefore: new Date(Math.floor(now.getTime() / 1000) * 1000),
    notAfter: new Date(Math.floor((now.getTime() + lifeMs) / 1000) * 1000),
  });
  return caPair([parseCertificate(der)], key, encodePrivateKey(key, 'PKCS8'));
}
