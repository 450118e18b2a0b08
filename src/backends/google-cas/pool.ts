import type { GoogleCASBackend } from '../../api/generated/types.ts';
import type { RevocationReason } from '../../api/revocation.ts';
import { type AuthorityError, DeniedError, RetryableError } from '../../errors.ts';
import { makeCsr } from '../../pki/csr.ts';
import { generateKey, publicKeyDer, publicKeyPin } from '../../pki/keys.ts';
import { NO_NAMES } from '../../pki/san.ts';
import type { Issued, IssueRequest, Revocation, Trust } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { membersOf } from '../http/json-members.ts';
import { refuseOtherUsages } from '../shared/csr-usages.ts';
import { idIn, readIssued, readLeaf, readTrust } from './certificates.ts';
import type { GoogleClient, Reply } from './client.ts';
import { describePolicy, type PoolPolicy, readPolicy, uncarried } from './pool-policy.ts';
import { certificateId, createCall, poolName, REASONS, requestUuid, templateName } from './request.ts';
import { troubleOf } from './troubles.ts';

const PROBE_LIFE_MS = 3_600_000;
const ID = /^[A-Za-z0-9_-]{1,63}$/;

/** One CA pool. */
export class CaPool {
  readonly #spec: GoogleCASBackend;
  readonly #client: GoogleClient;
  readonly #deps: Pick<BackendDeps, 'log' | 'name'>;
  readonly #name: string;
  /** As of the last look. */
  #policy: PoolPolicy | undefined;

  constructor(spec: GoogleCASBackend, client: GoogleClient, deps: Pick<BackendDeps, 'log' | 'name'>) {
    this.#spec = spec;
    this.#client = client;
    this.#deps = deps;
    this.#name = poolName(spec);
  }

  get verified(): string {
    return this.#policy === undefined ? 'the pool would sign a request' : describePolicy(this.#policy);
  }

  /** Reads the pool, and has it validate a request without signing it. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#readPolicy(signal);
    await this.#probe(signal);
  }

  async trust(signal: AbortSignal): Promise<Trust> {
    const call = { method: 'POST', path: `${this.#name}:fetchCaCerts`, body: {} } as const;
    const reply = await this.#client.call(call, signal);
    if (reply.status !== 200) throw this.#trouble(reply, `reading the CA certificates of ${this.#name}`);
    return readTrust(reply.body, this.#name);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued> {
    const policy = this.#policy ?? (await this.#readPolicy(signal));
    refuseOtherUsages(request);
    const why = uncarried(this.#name, policy, request);
    if (why !== undefined) throw new DeniedError('RequestDenied', why);
    // Whether Google cuts a longer life or refuses it isn't documented.
    const lifeMs = Math.min(request.lifetimeMs, policy.maxLifetimeMs ?? request.lifetimeMs);
    const reply = await this.#client.call(createCall(this.#spec, request, lifeMs), signal);
    if (reply.status === 200) return readIssued(reply.body);
    if (reply.rpc.code === 'ALREADY_EXISTS') return this.#made(request, policy, signal);
    throw await this.#refusal(reply, signal);
  }

  async revoke({ serialNumber, externalId }: Revocation, reason: RevocationReason, signal: AbortSignal): Promise<void> {
    const policy = this.#policy ?? (await this.#readPolicy(signal));
    if (policy.isDevOps)
      throw new DeniedError(
        'UnsupportedByAuthority',
        `${this.#name} is of the tier DevOps, whose certificates can't be revoked; use a pool of the tier Enterprise`,
      );
    const found = await this.#find(serialNumber, externalId, signal);
    if (found.isRevoked) return;
    const body = { reason: REASONS[reason], requestId: requestUuid(`revoke ${serialNumber}`) };
    const path = `${this.#name}/certificates/${found.id}:revoke`;
    const reply = await this.#client.call({ method: 'POST', path, body }, signal);
    if (reply.status !== 200) throw this.#trouble(reply, `revoking ${found.id} of ${this.#name}`);
  }

  async #readPolicy(signal: AbortSignal): Promise<PoolPolicy> {
    const pool = await this.#read(this.#name, signal);
    if (pool.status !== 200) throw this.#trouble(pool, `reading the pool ${this.#name}`);
    const template = templateName(this.#spec);
    const answer = template === undefined ? undefined : await this.#read(template, signal);
    // To use a template doesn't need the right to read it: then its limits show with the requests alone.
    if (answer !== undefined && answer.status !== 200 && answer.rpc.code !== 'PERMISSION_DENIED')
      throw this.#trouble(answer, `reading the template ${template}`);
    this.#policy = readPolicy(this.#name, pool.body, answer?.status === 200 ? answer.body : undefined);
    return this.#policy;
  }

  /** Throws an AuthorityError unless the pool takes a request that is validated and not signed. */
  async #probe(signal: AbortSignal): Promise<void> {
    const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
    const identity = { subject: { commonName: 'certwheel-check' }, names: NO_NAMES };
    const csr = () => makeCsr({ key, ...identity, usages: ['digital signature', 'client auth'] });
    const id = `check ${publicKeyPin(publicKeyDer(key))}`;
    const call = createCall(this.#spec, { id, csr }, this.#policy?.maxLifetimeMs ?? PROBE_LIFE_MS, {
      validateOnly: true,
    });
    const reply = await this.#client.call(call, signal);
    // Rules about names may refuse those of the probe, which is an answer of a pool that would sign others.
    if (reply.status === 200 || reply.rpc.code === 'INVALID_ARGUMENT') return;
    throw this.#trouble(reply, `validating a request in ${this.#name}`);
  }

  /** The certificate of a request that was made before, where its answer was lost more than an hour ago. */
  async #made(request: IssueRequest, policy: PoolPolicy, signal: AbortSignal): Promise<Issued> {
    const id = certificateId(request.id);
    const lost = (why: string) => new RetryableError('RequestFailed', `certificate ${id} of ${this.#name} ${why}`);
    if (policy.isDevOps) throw lost("exists and can't be read in the tier DevOps; another request is made");
    const reply = await this.#read(`${this.#name}/certificates/${id}`, signal);
    if (reply.rpc.code === 'PERMISSION_DENIED')
      throw lost('exists and may not be read (privateca.certificates.get); another request is made');
    if (reply.status !== 200) throw this.#trouble(reply, `reading the certificate ${id} of ${this.#name}`);
    const issued = readIssued(reply.body);
    const isOurs = issued.chain[0]?.publicKeyDer.equals(request.publicKey) ?? false;
    if (!isOurs) throw lost('is for another key; another request is made');
    return issued;
  }

  /** Where every request would be refused, that is the authority's trouble; else this one is denied. */
  async #refusal(reply: Reply, signal: AbortSignal): Promise<Error> {
    const { rpc, message } = reply;
    const denial = new DeniedError('RequestDenied', `${this.#name} refused the request (${rpc.code}): ${message}`);
    if (rpc.code === 'INVALID_ARGUMENT') return denial;
    if (rpc.code !== 'FAILED_PRECONDITION' && rpc.code !== 'PERMISSION_DENIED' && rpc.code !== 'NOT_FOUND')
      return this.#trouble(reply, `signing in ${this.#name}`);
    // The message may quote what a tenant wrote, so it decides nothing.
    await this.#probe(signal);
    return denial;
  }

  async #find(serialNumber: string, externalId: string | undefined, signal: AbortSignal) {
    const known = externalId !== undefined && ID.test(externalId) ? externalId : undefined;
    const certificate =
      known === undefined
        ? await this.#listed(serialNumber, signal)
        : await this.#read(`${this.#name}/certificates/${known}`, signal).then((reply) => {
            if (reply.status !== 200) throw this.#trouble(reply, `reading the certificate ${known} of ${this.#name}`);
            return reply.body;
          });
    const { name, revocationDetails } = membersOf(certificate);
    const id = known ?? (typeof name === 'string' ? idIn(name) : undefined);
    // An id that was kept in a Secret may have been forged to have another certificate revoked.
    if (id === undefined || readLeaf(certificate)?.serialNumber !== serialNumber)
      throw new DeniedError('RequestDenied', `${this.#name} has no certificate with the serial number ${serialNumber}`);
    return { id, isRevoked: revocationDetails !== undefined };
  }

  async #listed(serialNumber: string, signal: AbortSignal): Promise<unknown> {
    // The filter of gcloud privateca certificates revoke --serial-number.
    const filter = `certificate_description.subject_description.hex_serial_number:${serialNumber}`;
    const reply = await this.#read(`${this.#name}/certificates?${new URLSearchParams({ filter })}`, signal);
    if (reply.status !== 200) throw this.#trouble(reply, `listing certificates of ${this.#name}`);
    const { certificates } = membersOf(reply.body);
    return Array.isArray(certificates) ? certificates[0] : undefined;
  }

  #read(path: string, signal: AbortSignal): Promise<Reply> {
    return this.#client.call({ method: 'GET', path }, signal);
  }

  #trouble(reply: Reply, what: string): AuthorityError {
    if (reply.rpc.code === 'UNAUTHENTICATED')
      this.#deps.log.debug('Google refused an access token', { authority: this.#deps.name, reason: reply.rpc.reason });
    const { server } = this.#client;
    return troubleOf(reply, this.#spec, { server, what, member: this.#client.member(), remedy: this.#client.remedy() });
  }
}
