import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Somebody who may write an authority must not reach, through us, what only listens to this host or this node. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
// The metadata services of clouds that have an address of their own, and link-local ones behind NAT64.
LINK_LOCAL.addSubnet('fd00:ec2::', 32, 'ipv6');
LINK_LOCAL.addSubnet('64:ff9b::169.254.0.0', 112, 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
// Linux connects the unspecified addresses to this host.
LOOPBACK.addSubnet('0.0.0.0', 8, 'ipv4');
LOOPBACK.addSubnet('::', 127, 'ipv6');

/** Why no authority is looked for at this address; undefined where it may be. */
export function addressProblem(address: string, allowLoopback: boolean): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (LINK_LOCAL.check(address, family))
    return `${address} is a link-local address, where only the services of a node or a cloud are`;
  if (!allowLoopback && LOOPBACK.check(address, family))
    return `${address} is this host itself; --allow-loopback-authorities allows it`;
  return undefined;
}

/** Throws AddressRefused for a URL's host that is such an address itself: it is never resolved, so no lookup sees it. */
export function refuseLiteral(hostname: string, allowLoopback: boolean): void {
  const problem = addressProblem(hostname.replace(/^\[|\]$/g, ''), allowLoopback);
  if (problem !== undefined) throw new AddressRefused(problem);
}

/** Resolves a name for the connection that is made next, so that what was judged is what is connected to. */
export function guardedLookup(allowLoopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 0);
      // One that is refused spoils them all: a name that leads to both is either an attack or a mistake.
      for (const { address } of found) {
        const problem = addressProblem(address, allowLoopback);
        if (problem !== undefined) return callback(new AddressRefused(problem), '', 0);
      }
      const [first] = found;
      if (options.all === true) return callback(null, found);
      return first === undefined
        ? callback(new Error('no address'), '', 0)
        : callback(null, first.address, first.family);
    });
  };
}
