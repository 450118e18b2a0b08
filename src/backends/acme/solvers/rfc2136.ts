import type { AcmeDns01Solver, Rfc2136Solver } from '../../../api/generated/types.ts';
import { RetryableError } from '../../../errors.ts';
import { unusable } from '../../shared/credentials-secret.ts';
import { secretText } from '../../shared/secret-text.ts';
import type { Solver, SolverChallenge } from '../solver.ts';
import { DnsClient } from './dns/client.ts';
import type { NameServer } from './dns/exchange.ts';
import { CLASS, type ResourceRecord, TYPE, textData } from './dns/message.ts';
import { canonicalName, isWithin } from './dns/name.ts';
import type { TsigKey } from './dns/tsig.ts';
import { findZone, followAliases, nameServersOf, ZoneProblem } from './dns/zone.ts';
import { namedWitnesses, nameServerOf, timeoutOf, type Witness, waitForRecord } from './propagation.ts';
import { type DnsDeps, recordName, recordValue } from './record.ts';
import { updateRefusal } from './refusals.ts';

/** Short, so that a resolver that has seen it forgets it soon. */
const TTL_SECONDS = 60;
const MOST_NAME_SERVERS = 8;
const DNS_PORT = 53;

interface Place {
  readonly zone: string;
  /** Where the record goes: that of the challenge, or what its CNAME leads to. */
  readonly name: string;
}

/** Adds and removes one value of a TXT record by updates of the zone's primary server. Other values of the name stay. */
export class Rfc2136 implements Solver {
  readonly type = 'dns-01';
  readonly #spec: Rfc2136Solver;
  readonly #propagation: AcmeDns01Solver['propagation'];
  readonly #deps: DnsDeps;
  readonly #client: DnsClient;
  readonly #elsewhere: ((name: string) => Promise<string | undefined>) | undefined;

  /** `elsewhere` finds the CNAME of a name that the server doesn't have; by default the resolver of this host. */
  constructor(
    spec: Rfc2136Solver,
    propagation: AcmeDns01Solver['propagation'],
    deps: DnsDeps,
    elsewhere?: (name: string) => Promise<string | undefined>,
  ) {
    this.#spec = spec;
    this.#propagation = propagation;
    this.#deps = deps;
    this.#client = new DnsClient({ rules: deps.addresses, namespace: deps.objects.namespace }, deps.clock);
    this.#elsewhere = elsewhere;
  }

  async present(challenge: SolverChallenge, signal: AbortSignal): Promise<void> {
    const place = await this.#place(challenge.domain, signal);
    const data = textData(recordValue(challenge.keyAuthorization));
    await this.#update(place, { class: CLASS.IN, ttl: TTL_SECONDS, data }, signal);
    const wait = { timeoutMs: timeoutOf(this.#propagation), clock: this.#deps.clock };
    const witnesses = namedWitnesses(this.#propagation) ?? (await this.#witnesses(place.zone, signal));
    await waitForRecord(this.#client, witnesses, { name: place.name, data }, wait, signal);
  }

  async cleanUp(challenge: SolverChallenge, signal: AbortSignal): Promise<void> {
    const place = await this.#place(challenge.domain, signal);
    const data = textData(recordValue(challenge.keyAuthorization));
    // RFC 2136 section 2.5.4: this one record, and no other of the name.
    await this.#update(place, { class: CLASS.NONE, ttl: 0, data }, signal);
  }

  async #place(domain: string, signal: AbortSignal): Promise<Place> {
    const server = this.#server();
    try {
      const name = await followAliases(this.#client, server, recordName(domain), signal, this.#elsewhere);
      const given = this.#spec.zone === undefined ? undefined : canonicalName(this.#spec.zone);
      if (given !== undefined && !isWithin(name, given))
        throw new RetryableError(
          'ChallengeFailed',
          `${name} is not in the zone ${given}; correct zone, or leave it out`,
        );
      return { name, zone: given ?? (await findZone(this.#client, server, name, signal)) };
    } catch (error) {
      if (!(error instanceof ZoneProblem)) throw error;
      throw new RetryableError('ChallengeFailed', `${this.#spec.nameserver}: ${error.message}`, { unproven: true });
    }
  }

  async #update(
    { zone, name }: Place,
    change: Pick<ResourceRecord, 'class' | 'ttl' | 'data'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { nameserver, tsigAlgorithm, tsigSecretSecretRef: ref } = this.#spec;
    const key = await this.#key();
    const answer = await this.#client.update(this.#server(), zone, [{ name, type: TYPE.TXT, ...change }], key, signal);
    const refusal = updateRefusal(answer, {
      server: nameserver,
      zone,
      name,
      keyName: key.name,
      algorithm: tsigAlgorithm,
      secret: `key ${ref.key} of Secret ${ref.name}`,
      now: Math.floor(this.#deps.clock.now().getTime() / 1_000),
    });
    if (refusal !== undefined) throw refusal;
  }

  /** The server that was updated, and those of the zone's NS records. */
  async #witnesses(zone: string, signal: AbortSignal): Promise<readonly Witness[]> {
    const server = this.#server();
    const listed = await nameServersOf(this.#client, server, zone, signal);
    const others = listed.slice(0, MOST_NAME_SERVERS).map((host) => ({ host, port: DNS_PORT }));
    // Its answer to the update counts where it answers no queries.
    return [server, ...others].map((each) => ({ server: each, isOptional: true, recurse: false }));
  }

  #server(): NameServer {
    return nameServerOf(this.#spec.nameserver, 'rfc2136.nameserver');
  }

  async #key(): Promise<TsigKey> {
    const { tsigKeyName, tsigAlgorithm, tsigSecretSecretRef: ref } = this.#spec;
    const text = await secretText(ref, this.#deps);
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0)
      throw unusable(
        { name: ref.name, files: { [ref.key]: 'FILE' } },
        ref.key,
        'this is no base64; it must hold the secret of the TSIG key, which tsig-keygen prints between quotation marks',
        this.#deps,
      );
    return { name: canonicalName(tsigKeyName), algorithm: tsigAlgorithm, secret: Buffer.from(text, 'base64') };
  }
}
