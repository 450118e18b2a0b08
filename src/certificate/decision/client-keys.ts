import { toRfc3339 } from '../../api/conditions.ts';
import { quote } from '../../pki/chain.ts';
import { missingName, uncoveredName } from '../../pki/covered-names.ts';
import { isAuthority } from '../authority-view.ts';
import { requestOf, whereIs } from '../client-request.ts';
import type { Observed } from '../observed.ts';
import { isCompromised } from '../revocation/asked.ts';
import type { Need } from './needs.ts';
import type { Backoff } from './obstacles.ts';
import { type Refusal, refuse, wait } from './refusals.ts';

// What has to be decided where a client keeps its private key itself, and sends a certificate request.

/** Nothing is issued over a key whose holder hasn't shown to have it, nor are names left out that the client relies on. */
export function requestIsUnusable({ resource }: Pick<Observed, 'resource'>): Refusal | undefined {
  const { spec, namespace } = resource;
  if (spec.csr === undefined) return undefined;
  const problem = problemOf(spec, whereIs(spec.csr, namespace));
  if (problem === undefined) return undefined;
  // In another object it can change without a change of the spec.
  return spec.csr.kind === 'inline' ? refuse('CSRUnusable', problem) : wait('CSRUnusable', problem);
}

function problemOf({ request, identity }: Observed['resource']['spec'], where: string): string | undefined {
  if (request === undefined) return undefined;
  if ('problem' in request) return `the certificate request can't be used: ${request.problem}`;
  const beyond = uncoveredName(request, identity);
  return (
    beyond &&
    `the certificate request in ${where} asks for ${quote([beyond.value])} (${beyond.field}), which the spec lacks; add it to the spec, or have the client ask for less: the names of the certificate are those of the spec`
  );
}

/** An authority that gets the request of the client as it is finds in it what it certifies. */
export function requestSaysOtherwise({
  resource,
  authority,
}: Pick<Observed, 'resource' | 'authority'>): Refusal | undefined {
  const request = requestOf(resource.spec);
  if (request === undefined || !isAuthority(authority) || authority.capabilities.signsPublicKey === true)
    return undefined;
  const reads = `an authority of type ${authority.type} gets the certificate request of the client as it is`;
  if (request.isCA)
    return refuse(
      'UnsupportedByAuthority',
      `${reads}, and that asks for a CA certificate; have the client ask without CA:TRUE`,
    );
  const [further] = request.furtherWishes;
  if (further !== undefined)
    return refuse(
      'UnsupportedByAuthority',
      `${reads}, and that asks for more than names and usages, which the authority might put into the certificate: ${further}; have the client ask without it`,
    );
  const missing = missingName(request, resource.spec.identity);
  return (
    missing &&
    refuse(
      'UnsupportedByAuthority',
      `${reads}, and that lacks ${quote([missing.value])} (${missing.field}) of the spec; have the client ask for all names of the spec, or take it out of the spec`,
    )
  );
}

/** The client has sent a request with another key. */
export function requestIsAnother({ resource, held }: Observed): Need | undefined {
  const request = requestOf(resource.spec);
  if (request === undefined || held === undefined || held.publicKeyPinSHA256 === request.publicKeyPin) return undefined;
  return { reason: 'SpecChanged', message: 'the certificate request has another key than the certificate' };
}

/** A renewal that is due waits for another key, which only the client can make. */
export function newRequestIsNeeded(seen: Observed, need: Need, now: Date): Backoff | undefined {
  const { spec, namespace } = seen.resource;
  const { held } = seen;
  if (spec.csr === undefined || held === undefined) return undefined;
  const place = whereIs(spec.csr, namespace);
  // Whatever else has changed, what is issued over a key in other hands is of no use.
  if (need.reason === 'Revoked' || isCompromised(requestOf(spec)?.publicKeyPin ?? '', seen, now))
    return {
      do: 'wait',
      code: 'NewCSRNeeded',
      message: `the certificate is revoked, and its successor needs another key: put the client's next certificate request into ${place}`,
      recheckAt: undefined,
    };
  if (!spec.rotatesKey || need.reason !== 'Due') return undefined;
  return {
    do: 'wait',
    code: 'NewCSRNeeded',
    message: `a renewal is due, and with privateKey.rotationPolicy Always it needs a certificate request with another key: put the client's next one into ${place}; ${held.notAfter > now ? 'without it the certificate ends' : 'the certificate ended'} at ${toRfc3339(held.notAfter)}`,
    recheckAt: undefined,
  };
}
