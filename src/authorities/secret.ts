import type { SecretBackend } from '../api/generated/types.ts';
import { AuthorityError } from '../errors.ts';
import { CaPairError, readCaPair } from '../pki/ca.ts';
import type { AuthorityDefinition, AuthorityDeps, SecretContent } from './authority.ts';
import { OWN_CA_CAPABILITIES, ownCA } from './own-ca.ts';

/**
 * A CA key pair that somebody else made and put into a Secret: `tls.crt` (the CA, with its intermediates), `tls.key`,
 * and `ca.crt` where the root isn't in tls.crt. Another pair in the same Secret begins a CA rotation.
 */
export const secret: AuthorityDefinition<SecretBackend> = {
  type: 'secret',
  capabilities: OWN_CA_CAPABILITIES,
  permissions: [],
  create: (spec, deps) => ({
    ...ownCA(deps),
    keyPair: async () => readPair(spec.name, await deps.secret(spec.name), deps),
  }),
};

function readPair(name: string, content: SecretContent | undefined, { clock }: AuthorityDeps) {
  if (content === undefined) {
    throw new AuthorityError(
      'CASecretNotFound',
      `there is no Secret ${name}; make it with: kubectl create secret tls ${name} --cert=ca.crt --key=ca.key`,
    );
  }
  const missing = ['tls.crt', 'tls.key'].find((key) => content[key] === undefined || content[key].length === 0);
  if (missing !== undefined) throw new AuthorityError('CAPairRefused', `Secret ${name} has no ${missing}`);
  try {
    return readCaPair(
      {
        certificatePem: textOf(content, 'tls.crt'),
        keyPem: textOf(content, 'tls.key'),
        anchorPem: textOf(content, 'ca.crt'),
      },
      clock.now(),
    );
  } catch (error) {
    if (error instanceof CaPairError) throw new AuthorityError('CAPairRefused', `Secret ${name}: ${error.message}`);
    throw error;
  }
}

/** PEM is ASCII; anything else in it is found out by the parser. */
function textOf(content: SecretContent, key: string): string {
  return content[key]?.toString('latin1') ?? '';
}
