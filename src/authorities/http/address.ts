import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { THREADS } from '../../threads.ts';
import { Lanes } from './lanes.ts';

/** Somebody who may write an authority must not reach, through us, what only listens to this host or this node. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

const LINK_LOCAL = listOf(['169.254.0.0/16'], ['fe80::/10']);
/** Of Alibaba, Azure, Oracle, AWS and Google, where they aren't link-local. */
const METADATA = listOf(
  ['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'],
  ['fd00:ec2::/32', 'fd20:ce::/32'],
);
/** Linux connects the unspecified addresses to this host. ::/96 is IPv4 in a form of old. */
const LOOPBACK = listOf(['127.0.0.0/8', '0.0.0.0/8'], ['::/96']);

/** A BlockList sees through ::ffff:0:0/96 by itself, but not through NAT64 (RFC 6052). */
function listOf(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (subnet: string, family: 'ipv4' | 'ipv6', prefix = '', bits = 0) => {
    const [address = '', length] = subnet.split('/');
    list.addSubnet(`${prefix}${address}`, bits + Number(length), family);
  };
  for (const subnet of ipv4) {
    add(subnet, 'ipv4');
    add(subnet, 'ipv6', '64:ff9b::', 96);
  }
  for (const subnet of ipv6) add(subnet, 'ipv6');
  return list;
}

/** Why no authority is looked for at this address; undefined where it may be. */
export function addressProblem(address: string, allowLoopback: boolean): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (LINK_LOCAL.check(address, family))
    return `${address} is a link-local address, where only the services of a node or a cloud are`;
  if (METADATA.check(address, family)) return `${address} is where a cloud tells its machines about themselves`;
  if (!allowLoopback && LOOPBACK.check(address, family))
    return `${address} is this host itself; --allow-loopback-authorities allows it`;
  return undefined;
}

/** Throws AddressRefused for a URL's host that is such an address itself: it is never resolved, so no lookup sees it. */
export function refuseLiteral(hostname: string, allowLoopback: boolean): void {
  const problem = addressProblem(hostname.replace(/^\[|\]$/g, ''), allowLoopback);
  if (problem !== undefined) throw new AddressRefused(problem);
}

/**
 * To resolve a name takes a thread until somebody answers. So whoever owns a name that nobody answers for holds one of
 * them, and waits behind himself.
 */
const LOOKUPS = new Lanes(THREADS.names, 32);

class TooManyLookups extends Error {
  readonly code = 'EAI_AGAIN';
}

/**
 * Resolves a name for the connection that is made next, so that what was judged is what is connected to. `lane` says on
 * whose behalf.
 */
export function guardedLookup(allowLoopback: boolean, lane: string): LookupFunction {
  return (hostname, options, callback) => {
    const begin = (done: () => void) =>
      resolve(hostname, { ...options, all: true }, (error, found) => {
        done();
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
    if (!LOOKUPS.enter(lane, begin)) callback(new TooManyLookups('too many names are being resolved'), '', 0);
  };
}
