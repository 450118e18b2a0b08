import { randomBytes } from 'node:crypto';
import { parseDuration } from '../api/duration.ts';
import type { ExternalRoot, SelfManagedBackend } from '../api/generated/types.ts';
import { parseKeySpec } from '../api/key-spec.ts';
import { AuthorityError } from '../errors.ts';
import { type CaPair, type CaPath, caPath } from '../pki/ca.ts';
import { successorDue } from '../pki/ca-life.ts';
import { caSigner } from '../pki/ca-signer.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { makeRoot, newSerialNumber } from '../pki/issue.ts';
import { encodePrivateKey, type PrivateKey, publicKeyDer } from '../pki/keys.ts';
import { messageOf } from '../thrown.ts';
import type { Backend, BackendDefinition } from './backend.ts';
import type { BackendDeps } from './backend-deps.ts';
import { makeKey, TEN_YEARS_MS } from './self-managed/ca-key.ts';
import { requestIn } from './self-managed/kept-request.ts';
import { OWN_CA_CAPABILITIES, ownCA } from './shared/own-ca.ts';

/** A CA that Certwheel makes, keeps, and replaces by the next one when two thirds of its life are over. */
export const selfManaged: BackendDefinition<SelfManagedBackend> = {
  type: 'selfManaged',
  capabilities: OWN_CA_CAPABILITIES,
  permissions: [],
  create: (spec, deps) => {
    // Of a root that isn't stored yet, or that was refused: the next look goes on with it.
    let made: PrivateKey | undefined;
    const { externalRoot } = spec;
    if (externalRoot !== undefined)
      return { ...ownCA(deps), makesCA: true, keyPair: loadedCaBelowRoot(spec, externalRoot, deps) };
    let isTidy = false;
    return {
      ...ownCA(deps),
      makesCA: true,
      keyPair: async (newest, nextVersion, _signal, aside) => {
        if (!isTidy) isTidy = await isNothingLeft(deps);
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

/** Its code is loaded with the first such authority. */
function loadedCaBelowRoot(
  spec: SelfManagedBackend,
  root: ExternalRoot,
  deps: BackendDeps,
): NonNullable<Backend['keyPair']> {
  let loading: Promise<NonNullable<Backend['keyPair']>> | undefined;
  return async (...asked) => {
    loading ??= import('./self-managed/below-root.ts').then(({ caBelowRoot }) => caBelowRoot(spec, root, deps));
    return (await loading)(...asked);
  };
}

/**
 * Withdraws the CSR of a CA below a root after externalRoot was taken away: a person would have it signed in vain, and its key
 * would stay. Answers false where that has to be tried again, which keeps no CA from signing.
 */
async function isNothingLeft(deps: BackendDeps): Promise<boolean> {
  try {
    const kept = await deps.state.read();
    if (requestIn(kept?.data) !== undefined) await (await import('./self-managed/below-root.ts')).withdrawRequest(deps);
    return true;
  } catch (error) {
    // Another program's Secret has the name.
    if (error instanceof AuthorityError) return true;
    deps.log.warn('the request for a CA below a root could not be withdrawn', {
      authority: deps.name,
      error: messageOf(error),
    });
    return false;
  }
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
