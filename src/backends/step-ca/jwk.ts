import type { StepCASecretRef } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { membersOf } from '../http/json-members.ts';
import { credentialsIn, KeyRing } from './jwk-key.ts';
import { type FindProvisioner, type Listed, listedProvisioner, type ProvisionerDeps } from './provisioner.ts';
import { oneTimeToken, thumbprintOf } from './token.ts';

/** A provisioner of type JWK: its private key signs the tokens. */
export function jwkProvisioner(secretRef: StepCASecretRef, about: ProvisionerDeps): FindProvisioner {
  const { spec, server, deps } = about;
  const { name } = spec.provisioner;
  const keys = new KeyRing();
  const keyOf = async ({ kid, thumbprint }: ReturnType<typeof keyIn>, signal: AbortSignal) => {
    const credentials = credentialsIn(await deps.secret(secretRef.name), secretRef, deps);
    const handedOut = credentials.key === undefined;
    const encrypted = credentials.key ?? (await server.encryptedKey(kid, signal));
    if (encrypted === undefined)
      throw new AuthorityError(
        'CredentialsNotFound',
        `step-ca hands out no encrypted key for provisioner ${name}; put it into Secret ${secretRef.name} as "key"`,
      );
    const where = handedOut ? `that step-ca hands out for ${name}` : `in Secret ${secretRef.name}`;
    const key = await keys.open(encrypted, credentials.password, where);
    if (key.thumbprint !== thumbprint)
      throw new AuthorityError(
        'CredentialsRefused',
        `the key ${where} is not that of step-ca's provisioner ${name}, which has the kid ${kid}`,
      );
    return key;
  };
  return async (signal) => {
    // Before the request for the list: a Secret that is missing is told of, whatever step-ca lists.
    credentialsIn(await deps.secret(secretRef.name), secretRef, deps);
    const listed = await listedProvisioner('JWK', about, signal);
    const known = keyIn(listed);
    const { key } = await keyOf(known, signal);
    return {
      hasTemplate: listed.hasTemplate,
      canRevoke: true,
      token: ({ path, ...purpose }) => {
        const rootFingerprint = spec.rootFingerprints[0] ?? '';
        const claims = { issuer: name, audience: server.endpoint(path), rootFingerprint, ...purpose };
        return oneTimeToken({ key, kid: known.kid }, claims, deps.clock.now());
      },
    };
  };
}

function keyIn({ members: { key, name } }: Listed) {
  const { kid } = membersOf(key);
  if (typeof kid === 'string') return { kid, thumbprint: thumbprintOf(key) };
  throw new AuthorityError('InvalidAnswer', `step-ca lists the provisioner ${String(name)} without the id of its key`);
}
