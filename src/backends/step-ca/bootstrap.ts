import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { within } from '../../abort.ts';
import { AuthorityError } from '../../errors.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { type AddressRules, refuseLiteral } from '../http/address.ts';
import { noAnswer } from '../http/errors.ts';
import { membersOf } from '../http/json-members.ts';
import { readBody } from '../http/read-body.ts';

const REQUEST_MS = 10_000;
const MAX_BYTES = 65_536;

/**
 * The root certificate with this SHA-256, from a server that nothing is known of yet: until there is a root, there is
 * nothing that its TLS certificate could be verified by. So no secret is sent to it, and of its answer nothing is believed
 * but the bytes that have this very fingerprint.
 */
export async function fetchRoot(
  url: string,
  fingerprint: string,
  { rules, lookup }: { readonly rules: AddressRules; readonly lookup: LookupFunction },
  signal: AbortSignal,
): Promise<CertificateView> {
  if (!URL.canParse(url))
    throw new AuthorityError(
      'AuthorityMisconfigured',
      'server must be an https URL of a host and a port from 1 to 65535, such as https://ca.example.com:9000',
    );
  const { hostname, origin } = new URL(url);
  const agent = new Agent({
    allowH2: false,
    connect: { rejectUnauthorized: false, lookup, timeout: REQUEST_MS },
  });
  try {
    refuseLiteral(hostname, rules);
    const tooLong = `${origin} answered to /root with more than ${MAX_BYTES} bytes; is this the address of step-ca?`;
    const { status, text } = await within(REQUEST_MS, signal, async (scope) => {
      const path = `/root/${fingerprint}`;
      const { statusCode, body } = await agent.request({ origin, path, method: 'GET', signal: scope });
      return { status: statusCode, text: String(await readBody(body, MAX_BYTES, tooLong)) };
    });
    const root = rootIn(text);
    if (root !== undefined && createHash('sha256').update(root.der).digest('hex') === fingerprint) return root;
    throw new AuthorityError('AuthorityNotTrusted', whyNone(origin, fingerprint, status, root !== undefined), {
      unproven: true,
    });
  } catch (error) {
    throw noAnswer(error, origin);
  } finally {
    // Nothing that was opened without verification may be used again.
    await agent.destroy();
  }
}

function rootIn(text: string): CertificateView | undefined {
  try {
    const { ca } = membersOf(JSON.parse(text));
    const [root] = typeof ca === 'string' ? parseCertificates(ca, { most: 1 }) : [];
    return root;
  } catch {
    return undefined;
  }
}

function whyNone(origin: string, fingerprint: string, status: number, isAnother: boolean): string {
  const wanted = `root certificate with the fingerprint ${fingerprint}`;
  if (isAnother)
    return `${origin} answered with another certificate than the ${wanted}; something else is at this address`;
  if (status === 404)
    return `${origin} has no ${wanted}; compare rootFingerprints with: step certificate fingerprint root_ca.crt`;
  return `${origin} answered ${status} in place of the ${wanted}; is this the address of step-ca?`;
}
