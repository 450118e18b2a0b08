import type { KeyObject } from 'node:crypto';
import { compactVerify, decodeJwt } from 'jose';
import type { StepCAServiceAccount } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { readPublicKeys } from '../../pki/read-public-keys.ts';
import { secretText } from '../shared/secret-text.ts';
import { type FindProvisioner, type Listed, listedProvisioner, type ProvisionerDeps, pemIn } from './provisioner.ts';

/** The only issuer that step-ca takes: that of tokens in Secrets. Tokens of the TokenRequest API name the API server. */
const ISSUER = 'kubernetes/serviceaccount';
const MOST_KEYS = 10;
const MOST_CHARACTERS = 8_192;
const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512'];

/** The provisioner of type K8sSA: the token of a ServiceAccount goes with each request as it is. */
export function k8sSAProvisioner({ secretRef }: StepCAServiceAccount, about: ProvisionerDeps): FindProvisioner {
  const { deps } = about;
  const place = `key ${secretRef.key} of Secret ${deps.objects.namespace}/${secretRef.name}`;
  return async (signal) => {
    const token = await secretText(secretRef, deps);
    refuseForeign(token, place);
    const listed = await listedProvisioner('K8sSA', about, signal);
    await refuseUnverified(token, listed, place);
    // step-ca answers 500 to a revocation with such a token.
    return { hasTemplate: listed.hasTemplate, canRevoke: false, token: () => secretText(secretRef, deps) };
  };
}

function refuseForeign(token: string, place: string): void {
  let issuer: unknown;
  try {
    issuer = token.length > MOST_CHARACTERS ? undefined : decodeJwt(token).iss;
  } catch {
    // Nothing of it may get into a message.
  }
  if (issuer === ISSUER) return;
  throw new AuthorityError(
    'CredentialsRefused',
    `${place} is no token of a ServiceAccount that step-ca takes: its issuer must be ${ISSUER}, as in Secrets of type kubernetes.io/service-account-token`,
  );
}

async function refuseUnverified(token: string, { members }: Listed, place: string): Promise<void> {
  const keys = readPublicKeys(pemIn(members.publicKeys), MOST_KEYS);
  for (const key of keys) {
    const isSigned = await isSignedBy(token, key);
    if (isSigned) return;
  }
  throw new AuthorityError(
    'CredentialsRefused',
    `${place} is signed by none of the ${keys.length} keys of step-ca's provisioner ${String(members.name)}; give it the public key of this cluster's ServiceAccount tokens: step ca provisioner update ${String(members.name)} --public-key sa.pub`,
  );
}

async function isSignedBy(token: string, key: KeyObject): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: ALGORITHMS });
    return true;
  } catch {
    return false;
  }
}
