import { BlockList, isIP } from 'node:net';
import { addressBytes } from '../../pki/san.ts';

/** A list of networks in CIDR notation. Throws for one that `isNetwork` refuses. */
export function networkList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    if (!isNetwork(cidr)) throw new Error(`${cidr} is no network in CIDR notation`);
    const [address = '', bits] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/**
 * Whether it is a network such as 10.0.0.0/8 or fd00::/8. One whose address has bits behind the prefix, as 10.1.2.3/8, is
 * none: it may have been meant as a single host. IPv4 in the form ::ffff:a.b.c.d is none either.
 */
export function isNetwork(cidr: string): boolean {
  const [, address = '', digits = ''] = /^([0-9a-fA-F:.]{2,45})\/(0|[1-9]\d{0,2})$/.exec(cidr) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(digits) > (family === 4 ? 32 : 128)) return false;
  const bytes = addressBytes(address);
  if (bytes.length !== (family === 4 ? 4 : 16)) return false;
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return !bits.slice(Number(digits)).includes('1');
}
