/** An address as the URL standard prints it, which is the form of RFC 5952: an oracle for ours. Hex of 4 or 16 bytes. */
export function standardAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length === 4) return bytes.join('.');
  return standardIpv6(hex.replace(/(....)(?=.)/g, '$1:'));
}

/** The same of an IPv6 address in any spelling. */
export function standardIpv6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** An IPv4 address in the form of an IPv6 one is the same host. */
export function hostAddress(hex: string): string {
  return standardAddress(hex.replace(/^0{20}ffff(?=.{8}$)/, ''));
}
