import type { AuthorityView } from '../certificate/authority-view.ts';
import { bundleOf } from '../pki/bundle.ts';
import { idOfChain, isSameCa } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { withoutRoot } from '../pki/chain.ts';
import type { Constraints } from '../pki/constraints/constraints.ts';
import { allowsAll, rulesOf } from '../pki/path-rules.ts';
import { endOf, type Generation, isInBundle, signingOf } from '../rotation/generation.ts';
import { followedAnchors, leavingAnchors, usableAnchors } from '../rotation/trusted.ts';
import type { Trouble } from '../trouble.ts';
import type { Runtime } from './runtime.ts';

/** What certificates see of an authority; `own` is what verifiers must accept of the authority itself. */
export function viewAuthority(
  runtime: Runtime,
  own: readonly CertificateView[],
  trouble: Trouble | undefined,
  now: Date,
): AuthorityView {
  const { definition, resource, generations, trusted } = runtime;
  const troubleSince = trouble && (runtime.troubleSince ?? now);
  const signing = signingOf(runtime, now);
  // While its own isn't known, that of the fallback would look like all there is.
  const further = own.length === 0 ? [] : (runtime.fallback?.further ?? []);
  const issuers = signing === undefined ? [] : withoutRoot(signing.path.chain);
  return {
    type: definition.type,
    capabilities: definition.capabilities,
    limits: resource.limits,
    origin: runtime.origin,
    released: runtime.releases.released,
    trouble,
    troubleSince,
    trust: bundleOf([...own, ...further]),
    ownTrust: further.length === 0 ? undefined : bundleOf(own),
    intermediates: trusted.intermediates,
    generations: new Map(
      generations.filter(isInBundle).map((each) => [each.path.certificate.fingerprintSHA256, roleOf(each, signing)]),
    ),
    usableAnchors: usableAnchors(runtime),
    followedAnchors: followedAnchors(runtime),
    leaving: leavingAnchors(runtime),
    isStatedWithAnswers: trusted.isStatedWithAnswers === true,
    issuers,
    constraints: signing?.signer && constraintsOf(signing),
    signing: signing && {
      version: signing.version,
      since: signing.since,
      notAfter: endOf(signing.path),
      fingerprintSHA256: signing.path.certificate.fingerprintSHA256,
      issuersId: idOfChain(issuers),
      isSlow: signing.signer?.isSlow === true,
    },
  };
}

function constraintsOf({ path }: Generation): Constraints | undefined {
  const { constraints } = rulesOf(path.chain);
  return allowsAll(constraints) ? undefined : constraints;
}

/** One certificate may stand in several generations, with other certificates above it. */
function roleOf({ version, path }: Generation, signing: Generation | undefined): { version: number; signs: boolean } {
  if (signing === undefined) return { version, signs: false };
  const isSame = path.certificate.fingerprintSHA256 === signing.path.certificate.fingerprintSHA256;
  return isSame ? { version: signing.version, signs: true } : { version, signs: isSameCa(path, signing.path) };
}
