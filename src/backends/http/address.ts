import { lookup as resolve } from 'node:dns';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { addressBytes, addressText } from '../../pki/san.ts';
import { THREADS } from '../../threads.ts';
import { LimitedLanes } from './limited-lanes.ts';
import { networkList } from './networks.ts';

/** The author of an authority must not reach, through Certwheel, what listens on this host or this node alone. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

/** Where authorities may be. */
export interface AddressRules {
  /** Whether they may be on this host (--allow-loopback-authorities). */
  readonly loopback: boolean;
  /** The networks that they must be in (--authority-networks); undefined for any. Loopback addresses need not be in it. */
  readonly networks?: BlockList | undefined;
  /** The flags by which the operator sets the two. */
  readonly flags?: { readonly loopback: string; readonly networks: string } | undefined;
}

const AUTHORITY_FLAGS = { loopback: '--allow-loopback-authorities', networks: '--authority-networks' };

/** Linux connects the unspecified addresses to this host. */
const LOOPBACK = networkList(['127.0.0.0/8', '0.0.0.0/32', '::/128', '::1/128']);

/**
 * Of IANA's special-purpose registries (RFC 6890), what reaches something else than a server. Private networks aren't in
 * here, since CAs live there, nor networks that lead nowhere, some of which service meshes use for addresses of their own.
 */
const REFUSED: readonly (readonly [BlockList, why: string])[] = [
  [
    networkList(['169.254.0.0/16', 'fe80::/10']),
    'is a link-local address, where only the services of a node or a cloud are',
  ],
  [
    // Of Alibaba, Azure, Oracle, AWS and Google, where they aren't link-local.
    networkList(['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32', 'fd00:ec2::/32', 'fd20:ce::/32']),
    'is the metadata service of a cloud',
  ],
  [networkList(['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8']), 'reaches many hosts at once'],
  [networkList(['0.0.0.0/8', '192.0.0.0/24']), 'is in a network that IANA keeps for protocols; no server is there'],
  [networkList(['::/96']), 'is an IPv4 address in a form that RFC 4291 has abolished'],
  [networkList(['2001::/32']), 'is an address of a Teredo tunnel'],
];

/** RFC 8215: which of four places holds the IPv4 address is known to the operator of the translator alone. */
const LOCAL_NAT64 = networkList(['64:ff9b:1::/48']);

/** Networks whose addresses lead to an IPv4 address, and the byte at which that begins. */
const EMBEDDING: readonly (readonly [BlockList, at: number])[] = [
  [networkList(['::/96']), 12],
  [networkList(['::ffff:0:0:0/96']), 12], // RFC 2765
  [networkList(['64:ff9b::/96']), 12], // RFC 6052
  [LOCAL_NAT64, 12],
  [networkList(['2002::/16']), 2], // RFC 3056
];

/** Why no authority is looked for at this address; undefined where it may be, or for what is no address. */
export function addressProblem(address: string, rules: AddressRules): string | undefined {
  const bare = address.replace(/%.*$/, '');
  if (isIP(bare) === 0) return undefined;
  const { flags = AUTHORITY_FLAGS } = rules;
  const bytes = addressBytes(bare);
  const text = addressText(bytes);
  if (holds(LOOPBACK, text))
    return rules.loopback ? undefined : `${address} is this host itself; ${flags.loopback} allows it`;
  const inner = embeddedIn(bytes, text);
  const problem = (inner && specialProblem(inner, rules)) ?? specialProblem(text, rules);
  if (problem !== undefined) return `${address} ${problem}`;
  const { networks } = rules;
  if (networks !== undefined && !holds(networks, text) && !(inner !== undefined && holds(networks, inner)))
    return `${address} is in none of the networks of ${flags.networks}`;
  return holds(LOCAL_NAT64, text) && !(networks && holds(networks, text))
    ? `${address} is an address of a local translator to IPv4; ${flags.networks} must name its network`
    : undefined;
}

/** The rest of a sentence that begins with the address. */
function specialProblem(text: string, { loopback, flags = AUTHORITY_FLAGS }: AddressRules): string | undefined {
  if (holds(LOOPBACK, text)) return loopback ? undefined : `is this host itself; ${flags.loopback} allows it`;
  return REFUSED.find(([list]) => holds(list, text))?.[1];
}

function embeddedIn(bytes: Buffer, text: string): string | undefined {
  const at = EMBEDDING.find(([list]) => holds(list, text))?.[1];
  return at === undefined || bytes.length !== 16 ? undefined : addressText(bytes.subarray(at, at + 4));
}

function holds(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const LOOPBACK_LITERAL = /^(127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether a URL's host is this host itself, where operators allow that for tests. A name of it could lead elsewhere. */
export function isAllowedLoopback(hostname: string, { loopback }: AddressRules): boolean {
  return loopback && LOOPBACK_LITERAL.test(hostname);
}

/** Throws AddressRefused for a URL's host that is such an address itself: it is never resolved, so no lookup sees it. */
export function refuseLiteral(hostname: string, rules: AddressRules): void {
  const problem = addressProblem(hostname.replace(/^\[|\]$/g, ''), rules);
  if (problem !== undefined) throw new AddressRefused(problem);
}

/**
 * Resolving a name takes a thread until a name server answers. The owner of a name whose server never answers holds one of
 * them, and waits behind himself.
 */
const LOOKUPS = new LimitedLanes(THREADS.names, 32);

class TooManyLookups extends Error {
  readonly code = 'EAI_AGAIN';
}

/**
 * Resolves a name for the connection that is made next, so that what was judged is what is connected to. `lane` says on
 * whose behalf.
 */
export function guardedLookup(rules: AddressRules, lane: string): LookupFunction {
  return (hostname, options, callback) => {
    const begin = (done: () => void) =>
      resolve(hostname, { ...options, all: true }, (error, found) => {
        done();
        if (error !== null) return callback(error, '', 0);
        // One that is refused spoils them all: a name that leads to both is either an attack or a mistake.
        for (const { address } of found) {
          const problem = addressProblem(address, rules);
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
