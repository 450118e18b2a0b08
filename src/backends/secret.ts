import type { SecretBackend } from '../api/generated/types.ts';
import { AuthorityError } from '../errors.ts';
import type { CaPair } from '../pki/ca.ts';
import { CaError } from '../pki/ca-error.ts';
import { CaReader } from '../pki/ca-reader.ts';
import type { CaMaterial } from '../pki/read-ca.ts';
import type { BackendDefinition } from './backend.ts';
import type { BackendDeps, ReferencedData } from './backend-deps.ts';
import { OWN_CA_CAPABILITIES, ownCA } from './shared/own-ca.ts';

/**
 * A CA key pair that was made elsewhere and put into a Secret: `tls.crt` (the CA, with its intermediates), `tls.key`,
 * and `ca.crt` where the root isn't in tls.crt. Another pair in the same Secret begins a CA rotation.
 */
export const secret: BackendDefinition<SecretBackend> = {
  type: 'secret',
  capabilities: OWN_CA_CAPABILITIES,
  permissions: [],
  create: (spec, deps) => {
    const reader = new CaReader();
    return {
      ...ownCA(deps),
      keyPair: async (_newest, _nextVersion, _signal, aside) => {
        const material = materialOf(spec, await deps.secret(spec.name), deps);
        return readPair(() => reader.read(material, deps.clock.now(), aside));
      },
    };
  },
};

function materialOf(
  { name, partialChain }: SecretBackend,
  content: ReferencedData | undefined,
  deps: BackendDeps,
): CaMaterial {
  if (content === undefined) {
    throw new AuthorityError(
      'CASecretNotFound',
      `there is no Secret ${deps.objects.namespace}/${name}; make it with: ${create(name, deps)}`,
    );
  }
  const place = `Secret ${deps.objects.namespace}/${name}`;
  const { 'tls.crt': certificates, 'tls.key': key, 'ca.crt': roots } = content;
  if (certificates === undefined || key === undefined) {
    const missing = certificates === undefined ? 'tls.crt' : 'tls.key';
    throw new AuthorityError(
      'CAPairRefused',
      `${place} has no key ${missing}; write it with: ${create(name, deps)} --dry-run=client -o yaml | kubectl apply -f -`,
    );
  }
  return { place, certificates, key, roots, partialChain };
}

async function readPair(read: () => Promise<CaPair>): Promise<CaPair> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CaError) throw new AuthorityError('CAPairRefused', error.message, { cause: error });
    throw error;
  }
}

function create(name: string, { objects: { namespace } }: BackendDeps): string {
  return `kubectl create secret generic ${name} -n ${namespace} --from-file=tls.crt=ca.crt --from-file=tls.key=ca.key`;
}
