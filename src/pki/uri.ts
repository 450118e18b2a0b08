import { isIPv6 } from 'node:net';

// RFC 3986 without escapes in the host: Go, Java and others refuse a whole certificate for one URI that they can't parse.
const CHARACTER = "[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}";
const PATH = `(?:${CHARACTER}|/)*`;
const QUERY = `(?:${CHARACTER}|[/?])*`;
const USER = `(?:${CHARACTER.replace('@', '')})*`;
const END = `(?:[?]${QUERY})?(?:#${QUERY})?$`;
const SCHEME = '^[A-Za-z][A-Za-z0-9+.-]*:';

const ABSOLUTE = new RegExp(SCHEME);
const OF_A_HOST = new RegExp(
  `${SCHEME}//(?:${USER}@)?([A-Za-z0-9._-]+|\\[[^\\]]*\\])(?::[0-9]{1,5})?(?:/${PATH})?${END}`,
);
const OF_NO_HOST = new RegExp(`${SCHEME}(?:///${PATH}|/|/?(?:${CHARACTER})${PATH})${END}`);
const DOMAIN_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** Why a verifier would refuse the URI, and with it the certificate, as a verb phrase; undefined if none would. */
export function uriProblem(uri: string): string | undefined {
  if (!ABSOLUTE.test(uri) || !/^[\x21-\x7e]*$/.test(uri)) return 'is no absolute URI in ASCII';
  const host = OF_A_HOST.exec(uri)?.[1];
  if (host === undefined) return OF_NO_HOST.test(uri) ? undefined : 'is no URI as RFC 3986 has it';
  if (host.startsWith('['))
    return isAddress(host.slice(1, -1)) ? undefined : `has the host ${host}, which is no IPv6 address`;
  return isDomain(host) ? undefined : `has the host ${host}, which is no domain`;
}

/** Whether the text is a host name with labels of at most 63 characters; underscores, which SPIFFE allows, are taken. */
export function isDomain(host: string): boolean {
  return host.length <= 253 && host.split('.').every((label) => DOMAIN_LABEL.test(label));
}

// CEL's isIP refuses an IPv4 address in the form of an IPv6 one.
function isAddress(host: string): boolean {
  return isIPv6(host) && !host.includes('%') && !new URL(`http://[${host}]`).hostname.startsWith('[::ffff:');
}
