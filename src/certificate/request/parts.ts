import type { KeyObject } from 'node:crypto';
import type { RawObject } from '../../api/parse.ts';
import type { IssueRequest } from '../../backends/backend.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { makeCsr } from '../../pki/csr.ts';
import { generateKey, keySpecOf, parsePrivateKey, publicKeyDer } from '../../pki/keys.ts';
import { MAX_CHAIN } from '../../pki/path-search.ts';
import type { ActDeps } from '../act.ts';
import { publicKeyOf, requestOf } from '../client-request.ts';
import type { Observed } from '../observed.ts';
import { keyIsCompromised } from '../revocation/asked.ts';
import { textOf } from '../secret/compose.ts';

/** Of a request of a client the public key, since there is no other. */
export async function keyFor(seen: Observed, deps: ActDeps): Promise<KeyObject> {
  const { resource, held } = seen;
  const { spec } = resource;
  if (spec.csr !== undefined) return publicKeyOf(spec);
  if (!spec.rotatesKey && held !== undefined && !keyIsCompromised(seen, deps.clock.now())) {
    const live = await deps.secrets.get(resource.namespace, spec.secretName);
    const kept = live && parsePrivateKey(textOf(live, 'tls.key'));
    if (kept !== undefined && JSON.stringify(keySpecOf(kept)) === JSON.stringify(spec.key)) return kept;
  }
  return (deps.makeKey ?? generateKey)(spec.key);
}

/** What is asked of the authority, but for its id. */
export function requestFor({ resource, held }: Observed, key: KeyObject, deps: ActDeps): Omit<IssueRequest, 'id'> {
  const { spec, namespace, name, uid } = resource;
  return {
    requester: { namespace, name, uid },
    publicKey: publicKeyDer(key),
    csrUsages: requestOf(spec)?.usages,
    csr: () => requestOf(spec)?.der ?? makeCsr({ key, ...spec.identity }),
    identity: spec.identity,
    lifetimeMs: spec.durationMs,
    replacedEnds: held?.notAfter,
    replaced: async () => (held === undefined ? undefined : leafIn(await deps.secrets.get(namespace, spec.secretName))),
  };
}

/** Only to name it to an authority: where it can't be read, the renewal goes on without. */
function leafIn(secret: RawObject | undefined): CertificateView | undefined {
  try {
    return parseCertificates(textOf(secret, 'tls.crt'), { most: 2 * MAX_CHAIN })[0];
  } catch {
    return undefined;
  }
}
