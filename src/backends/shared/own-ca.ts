import { AuthorityError } from '../../errors.ts';
import type { CaPath } from '../../pki/ca.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { policiesToCopy } from '../../pki/constraints/constraints.ts';
import { signLeaf } from '../../pki/issue.ts';
import { rulesOf } from '../../pki/path-rules.ts';
import type { Signer } from '../../pki/signer.ts';
import { ANY_CERTIFICATE, type Backend, type Capabilities, type Issued, type IssueRequest } from '../backend.ts';
import type { BackendDeps, SigningCa } from '../backend-deps.ts';
import { leafRevocation } from './leaf-revocation.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What our own signature can go under: everything that Certwheel knows. */
export const OWN_CA_CAPABILITIES: Capabilities = {
  ...ANY_CERTIFICATE,
  // Cut short where the CA itself ends sooner.
  lifetime: 'atMost',
  remote: false,
  persistKey: false,
  signsPublicKey: true,
};

type SignDeps = Pick<BackendDeps, 'name' | 'clock' | 'log' | 'revocation'>;
type OwnCaDeps = SignDeps & Pick<BackendDeps, 'signing' | 'trusted'>;

/** It answers at once. */
type OwnCa = Pick<Backend, 'check' | 'trust'> & {
  issue(request: IssueRequest, signal: AbortSignal): Promise<Issued>;
};

/** Signs with the CA generation that is active; for authorities whose CA key Certwheel holds. */
export function ownCA(deps: OwnCaDeps): OwnCa {
  return {
    check: async () => void signingOf(deps),
    trust: async () => ({ anchors: deps.trusted().map(({ anchor }) => anchor), intermediates: [] }),
    issue: async (request) => signFor(request, signingOf(deps), deps),
  };
}

function signingOf(deps: OwnCaDeps) {
  const signing = deps.signing();
  const signer = signing?.signer;
  if (signing === undefined || signer === undefined)
    throw new AuthorityError('CAExpired', `${deps.name} has no CA generation that is valid${earlyIn(deps)}`);
  return { ...signing, signer };
}

/** Another replica, or this one before, may have made it by another clock. */
function earlyIn({ clock, trusted }: OwnCaDeps): string {
  const now = clock.now();
  const early = trusted()
    .flatMap(({ chain }) => chain)
    .find(({ notBefore }) => notBefore > now);
  if (early === undefined) return '';
  const { subjectText, notBefore } = early;
  return `: ${subjectText} is not valid before ${notBefore.toISOString()} by the clock of this replica; if that clock is right, it signs from then on, or rotate the CA`;
}

/** Signs a certificate with that CA generation. Throws an AuthorityError if the CA ends at once, and what the signer throws. */
export async function signFor(
  request: IssueRequest,
  { version, path, signer }: Pick<SigningCa, 'version' | 'path'> & { readonly signer: Signer },
  deps: SignDeps,
): Promise<Issued> {
  const now = deps.clock.now();
  const { notBefore, notAfter } = validity(path, request.lifetimeMs, now);
  if (notAfter.getTime() - now.getTime() < SECOND)
    throw new AuthorityError('CAExpired', `the CA of ${deps.name} ends at ${notAfter.toISOString()}`);
  const { serialNumber, extensions } = leafRevocation(deps.revocation, version, path);
  // Before the signature exists, so that none can exist that the log doesn't know of.
  deps.log.info('signing', {
    authority: deps.name,
    generation: version,
    serial: serialNumber.toString('hex'),
    ...request.requester,
    ...(request.rule === undefined ? {} : { rule: request.rule }),
    ...(request.requestedBy === undefined ? {} : { requestedBy: request.requestedBy }),
  });
  request.signing?.({
    serialNumber: serialNumber.toString('hex'),
    issuer: path.certificate.fingerprintSHA256,
    notBefore,
    notAfter,
    generation: version,
  });
  const { publicKey: publicKeyDer, identity } = request;
  const ca = { certificate: path.certificate, signer };
  const policies = policiesToCopy(rulesOf(path.chain).constraints);
  const content = { ...identity, policies, extensions };
  const der = await signLeaf({ ca, publicKeyDer, ...content, serialNumber, notBefore, notAfter });
  return { chain: [parseCertificate(der), ...path.chain], generation: version };
}

/**
 * Reaches back a little, for verifiers whose clocks are behind, but not before the CA began; ends with the CA at the
 * latest, since a chain is only good while all of it is. X.509 counts whole seconds.
 */
export function validity({ chain }: CaPath, lifetimeMs: number, now: Date): { notBefore: Date; notAfter: Date } {
  const backdatedMs = now.getTime() - Math.min(MINUTE, lifetimeMs / 10);
  const beginMs = Math.max(backdatedMs, ...chain.map((each) => each.notBefore.getTime()));
  const endMs = Math.min(now.getTime() + lifetimeMs, ...chain.map((each) => each.notAfter.getTime()));
  return { notBefore: wholeSeconds(beginMs), notAfter: wholeSeconds(endMs) };
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / SECOND) * SECOND);
}
