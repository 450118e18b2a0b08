const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s;
const UNRESERVED = /[A-Za-z0-9._~-]/;

/**
 * The form in which RFC 3986, section 6.2.2, compares URIs: scheme and host in lower case, no escape for what needs none,
 * the others in upper case, no dot segments. A verifier may compare any other spelling of the URI as this one.
 */
export function canonicalUri(uri: string): string {
  const [, scheme = '', authority, path = '', rest = ''] = PARTS.exec(uri) ?? [];
  if (scheme === '') return uri;
  const isHierarchical = authority !== undefined || path.startsWith('/');
  const segments = unescaped(path);
  const host = authority === undefined ? '' : `//${canonicalAuthority(unescaped(authority))}`;
  return `${scheme.toLowerCase()}:${host}${isHierarchical ? withoutDots(segments) : segments}${unescaped(rest)}`;
}

function canonicalAuthority(authority: string): string {
  const at = authority.lastIndexOf('@') + 1;
  return authority.slice(0, at) + authority.slice(at).toLowerCase();
}

function unescaped(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
}

/** RFC 3986, section 5.2.4, of a path that is empty or begins with a slash. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return path === '' ? '' : `/${kept.join('/')}`;
}
