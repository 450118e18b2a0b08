import type { CaPath } from '../../src/pki/ca.ts';
import type { Generation } from '../../src/rotation/generation.ts';
import type { GenerationSecret } from '../../src/rotation/generation-secret.ts';
import { NOW } from '../pki/make.ts';

/** A CA generation of the authority `ns/ca` whose mark is whole; one of a bare path can't sign. */
export function aGeneration(
  version: number,
  state: Generation['state'],
  ca: CaPath & { readonly signer?: Generation['signer'] },
  change: Partial<Generation> = {},
): Generation {
  const secret = { namespace: 'ns', name: `ca-ca-v${version}`, uid: `uid-${version}`, resourceVersion: '1' };
  const { since = NOW } = change;
  const { signer } = ca;
  return {
    version,
    state,
    path: ca,
    signer,
    issuerRef: undefined,
    since,
    created: since,
    mark: 'whole',
    source: 'secret',
    preparedAt: state === 'Pending' ? undefined : since,
    gate: undefined,
    rejects: [],
    secret,
    ...change,
  };
}

/** The Secret of a CA generation. */
export function generationSecret(generation: Generation, change: Partial<GenerationSecret> = {}): GenerationSecret {
  const { version, secret } = generation;
  const isMarked = generation.mark !== 'none';
  const mark = { uids: isMarked ? [secret.uid] : [], namespace: isMarked ? secret.namespace : undefined };
  const whose = { authority: 'CertificateAuthority/ns/ca', version, secret, mark };
  return {
    ...whose,
    isBlank: false,
    holdsKey: true,
    generation,
    problem: undefined,
    isRead: true,
    weight: 0,
    ...change,
  };
}
