import { Resolver } from 'node:dns/promises';
import type { DnsClient } from './client.ts';
import type { NameServer } from './exchange.ts';
import { type Message, RCODE, TYPE } from './message.ts';
import { canonicalName, isWithin, parentName } from './name.ts';

/** As many as resolvers follow. */
const MOST_ALIASES = 8;
const RESOLVER_MS = 3_000;

/** Why a name can't be updated, as a sentence about the name. */
export class ZoneProblem extends Error {}

/** The alias of a name by the resolver of this host; undefined where there is none, or where it doesn't say. */
export async function aliasBySystem(name: string): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 });
  try {
    const [alias] = await resolver.resolveCname(name);
    return alias === undefined ? undefined : canonicalName(alias);
  } catch {
    return undefined;
  }
}

/**
 * The name that `name` leads to by CNAMEs, which is where a validating server looks. A server that has the zone itself knows;
 * for the other names `elsewhere` is asked. Throws ZoneProblem for a circle.
 */
export async function followAliases(
  client: DnsClient,
  server: NameServer,
  name: string,
  signal: AbortSignal,
  elsewhere: (name: string) => Promise<string | undefined> = aliasBySystem,
): Promise<string> {
  let current = canonicalName(name);
  for (let step = 0; step <= MOST_ALIASES; step += 1) {
    const answer = await client.query(server, current, TYPE.CNAME, true, signal);
    const alias = aliasIn(answer, current) ?? (answer.isAuthoritative ? undefined : await elsewhere(current));
    if (alias === undefined) return current;
    current = alias;
  }
  throw new ZoneProblem(`${name} leads to more than ${MOST_ALIASES} CNAME records, one after the other`);
}

/** The zone of a name that the server has: the owner of its SOA. Throws ZoneProblem. */
export async function findZone(
  client: DnsClient,
  server: NameServer,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  let candidate: string | undefined = canonicalName(name);
  while (candidate !== undefined) {
    const answer: Message = await client.query(server, candidate, TYPE.SOA, false, signal);
    if (!answer.isAuthoritative)
      throw new ZoneProblem(
        `it has no zone for ${name} (${rcodeName(answer.rcode)}); name its primary server in nameserver, or the zone in zone`,
      );
    // For a name without an SOA of its own, the SOA of its zone comes with the answer (RFC 2308 section 3).
    const soa = [...answer.answers, ...answer.authorities].find(({ type }) => type === TYPE.SOA);
    if (soa !== undefined && isWithin(candidate, soa.name)) return soa.name;
    candidate = parentName(candidate);
  }
  throw new ZoneProblem(`it names no zone for ${name}; name the zone in zone`);
}

/** The name servers of a zone, as its server lists them. */
export async function nameServersOf(
  client: DnsClient,
  server: NameServer,
  zone: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await client.query(server, zone, TYPE.NS, false, signal);
  return answer.answers.flatMap(({ name, type, target }) =>
    type === TYPE.NS && name === zone && target !== undefined ? [target] : [],
  );
}

/** Whether a server answers this value of a TXT record, of the name itself or of one that a CNAME leads to. */
export function hasText(answer: Message, data: Buffer): boolean {
  return answer.answers.some((each) => each.type === TYPE.TXT && each.data.equals(data));
}

export function rcodeName(rcode: number): string {
  return Object.entries(RCODE).find(([, number]) => number === rcode)?.[0] ?? `RCODE ${rcode}`;
}

function aliasIn(answer: Message, name: string): string | undefined {
  return answer.answers.find((each) => each.type === TYPE.CNAME && each.name === name)?.target;
}
