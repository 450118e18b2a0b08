import { isIP } from 'node:net';

const AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/;

/** The host of a URI as RFC 3986 has it, in lower case; undefined if there is none. */
export function uriHost(uri: string): string | undefined {
  return AUTHORITY.exec(uri)?.[1]?.toLowerCase() || undefined;
}

/** Whether the host of a URI is an IP address, with which no subtree can be compared (RFC 5280 section 4.2.1.10). */
export function isAddressHost(host: string): boolean {
  return host.startsWith('[') || isIP(host) !== 0;
}

/** What nc_uri of OpenSSL 3.0 takes for the host: all up to a colon, wherever that is, or else up to a slash. */
export function opensslHost(uri: string): string {
  const rest = uri.slice(uri.indexOf('//') + 2);
  const colon = rest.indexOf(':');
  const end = colon < 0 ? rest.indexOf('/') : colon;
  return (end < 0 ? rest : rest.slice(0, end)).toLowerCase();
}

/** Whether OpenSSL compares a common name with DNS subtrees (NAME_CONSTRAINTS_check_CN): two labels at least. */
export function isHostForOpenssl(commonName: string): boolean {
  return (
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]$/.test(commonName) &&
    commonName.includes('.') &&
    !/\.\.|-\.|\.-/.test(commonName)
  );
}

/** Whether Java does (NameConstraintsExtension.verify): one label is enough, but no label holds an underscore. */
export function isHostForJava(commonName: string): boolean {
  return commonName.split('.').every((label) => /^[A-Za-z0-9][A-Za-z0-9-]*$/.test(label));
}

/** Whether the DNS name is that of the base or lies below it; a base that begins with a dot has only what lies below. */
export function isBelow(name: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? name.length > base.length && name.endsWith(base) : isOrBelow(name, base);
}

function isOrBelow(name: string, base: string): boolean {
  return name === base || name.endsWith(`.${base}`);
}

/** Whether Go reads the text as a domain (domainNameValid): labels of any visible characters, none of them empty. */
export function isHostForGo(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && text.split('.').every((label) => label !== '');
}
