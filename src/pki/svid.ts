import type { Names } from './san.ts';
import { canonicalUsage } from './usages.ts';

const SCHEME = 'spiffe:';
/** SPIFFE-ID section 2: no port, user, query or fragment; segments that are not empty and no dot segments. */
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
const LONGEST_ID = 2_048;
const MOST_SHOWN = 256;

/**
 * What keeps a certificate with a SPIFFE ID from being an X509-SVID (SPIFFE, "X509-SVID", sections 2 to 4 and 6), each as a
 * sentence with what to do; empty where nothing does, and for a certificate without such a URI.
 */
export function svidProblems({ uris }: Pick<Names, 'uris'>, asked: readonly string[]): readonly string[] {
  const id = uris.find((uri) => uri.toLowerCase().startsWith(SCHEME));
  if (id === undefined) return [];
  const usages = asked.map(canonicalUsage);
  const problems = [
    uris.length > 1 && `it has ${uris.length} URIs, and an SVID has exactly one: leave one in spec.uris`,
    !SPIFFE_ID.test(id) &&
      `"${shown(id)}" is no SPIFFE ID of a workload: write spiffe://<trust domain>/<path>, with at least one segment`,
    id.length > LONGEST_ID &&
      `its SPIFFE ID has ${id.length} characters, and ${LONGEST_ID} are the most: write a shorter path`,
    !usages.includes('digital signature') &&
      'an SVID has the key usage digital signature: add "digital signature" to spec.usages',
    !usages.includes('server auth') && 'an SVID is for both sides of a connection: add "server auth" to spec.usages',
  ];
  return problems.filter((each) => each !== false);
}

/** A long one would push the other problems out of the message. */
function shown(id: string): string {
  return id.length <= MOST_SHOWN ? id : `${id.slice(0, MOST_SHOWN)}…`;
}
