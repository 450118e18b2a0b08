import { parseSeconds } from '../../../../src/backends/google-cas/rpc-status.ts';
import { exhausted, failedPrecondition, invalidArgument, notFound, RpcError } from './google-errors.ts';
import { assertPermission, type Principal } from './google-identities.ts';
import { type Pool, type PoolCa, type StoredCertificate, signRequest } from './google-pools.ts';

export const PROJECT = 'certwheel-test';
export const LOCATION = 'europe-west3';

type Asked = Readonly<Record<string, unknown>>;
type Method = (asked: Asked, principal: Principal) => object;

/** The methods of CertificateAuthorityService that the fake knows, over its pools. */
export class Service {
  readonly pools = new Map<string, Pool>();
  readonly templates = new Map<string, object>();
  /** Create requests that are answered RESOURCE_EXHAUSTED from now on, each asking for so many seconds of patience. */
  exhaustedFor: number | undefined;

  readonly methods: Readonly<Record<string, Method>> = {
    GetCaPool: ({ name }, principal) => {
      assertPermission(principal, 'privateca.caPools.get', String(name));
      const { tier, issuancePolicy } = this.#pool(name);
      return { name, tier, issuancePolicy };
    },
    FetchCaCerts: ({ caPool }, principal) => {
      assertPermission(principal, 'privateca.caPools.get', String(caPool));
      return { caCerts: this.#pool(caPool).cas.map((ca) => ({ certificates: chainOf(ca) })) };
    },
    GetCertificateTemplate: ({ name }, principal) => {
      assertPermission(principal, 'privateca.certificateTemplates.get', String(name));
      return { name, ...this.#template(name) };
    },
    CreateCertificate: (asked, principal) => this.#create(asked, principal),
    GetCertificate: ({ name }, principal) => {
      assertPermission(principal, 'privateca.certificates.get', String(name));
      return this.#stored(name).certificate;
    },
    ListCertificates: ({ parent, filter = '' }, principal) => {
      assertPermission(principal, 'privateca.certificates.list', String(parent));
      const pool = this.#keeping(parent);
      const [, serial] =
        /^certificate_description\.subject_description\.hex_serial_number:([0-9a-f]+)$/.exec(String(filter)) ?? [];
      if (serial === undefined) throw invalidArgument('Invalid list filter.');
      return { certificates: [...pool.certificates.values()].filter((each) => serialOf(each) === serial) };
    },
    RevokeCertificate: ({ name, reason }, principal) => {
      assertPermission(principal, 'privateca.certificates.update', String(name));
      const { pool, id, certificate } = this.#stored(name);
      if (certificate.revocationDetails) throw failedPrecondition(`Certificate '${name}' is already revoked.`);
      const revocationDetails = { revocationState: String(reason), revocationTime: new Date().toISOString() };
      pool.certificates.set(id, { ...certificate, revocationDetails });
      return { ...certificate, revocationDetails };
    },
  };

  #create(
    { parent, certificateId, certificate, requestId, validateOnly, issuingCertificateAuthorityId }: Asked,
    who: Principal,
  ) {
    const pool = this.#pool(parent);
    assertPermission(who, 'privateca.certificates.create', String(parent));
    const asked = certificate as { pemCsr?: string; lifetime?: string; certificateTemplate?: string };
    if (asked.certificateTemplate !== undefined) this.#template(asked.certificateTemplate);
    if (typeof certificateId !== 'string' || !/^[a-zA-Z0-9_-]{1,63}$/.test(certificateId))
      throw invalidArgument('certificate_id must match [a-zA-Z0-9_-]{1,63}');
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(requestId))) throw invalidArgument('request_id');
    const before = pool.requests.get(String(requestId));
    if (before !== undefined) return before;
    if (validateOnly !== true && this.exhaustedFor !== undefined) throw exhausted(this.exhaustedFor);
    const ca = caFor(pool, String(parent), issuingCertificateAuthorityId);
    const lifetimeMs = parseSeconds(asked.lifetime) ?? 0;
    const { maximumLifetime } = pool.issuancePolicy;
    if (lifetimeMs > (parseSeconds(maximumLifetime) ?? Number.POSITIVE_INFINITY))
      throw invalidArgument(`The requested lifetime is longer than the maximum lifetime ${maximumLifetime}`);
    if (lifetimeMs <= 0) throw invalidArgument('lifetime must be positive');
    const leaf = signRequest(ca, asked.pemCsr ?? '', lifetimeMs);
    if (leaf.subjectText.includes('CN=forbidden'))
      throw invalidArgument('The request does not satisfy the CEL expression of the identity constraints.');
    const now = new Date().toISOString();
    const name = `${parent}/certificates/${certificateId}`;
    const common = { ...asked, issuerCertificateAuthority: `${parent}/certificateAuthorities/${ca.id}` };
    if (validateOnly === true) return { name, ...common };
    if (pool.certificates.has(certificateId))
      throw new RpcError(409, 'ALREADY_EXISTS', `Resource '${name}' already exists`);
    const [signer = '', top = ''] = chainOf(ca);
    const stored: StoredCertificate = {
      name,
      ...common,
      pemCertificate: leaf.pem,
      pemCertificateChain: [signer, top],
      certificateDescription: { subjectDescription: { hexSerialNumber: leaf.serialNumber } },
      createTime: now,
      updateTime: now,
    };
    pool.booked += 1;
    pool.requests.set(String(requestId), stored);
    if (pool.tier === 'ENTERPRISE') pool.certificates.set(certificateId, stored);
    return stored;
  }

  #pool(name: unknown): Pool {
    const [, project, location, id = ''] =
      /^projects\/([^/]+)\/locations\/([^/]+)\/caPools\/([^/]+)/.exec(String(name)) ?? [];
    // Google doesn't tell a project that there isn't from one that the caller may not see.
    if (project !== PROJECT)
      throw new RpcError(
        403,
        'PERMISSION_DENIED',
        `Permission 'privateca.caPools.get' denied on resource '//privateca.googleapis.com/${name}' (or it may not exist).`,
      );
    if (location !== LOCATION) throw notFound(`projects/${project}/locations/${location}`);
    const pool = this.pools.get(id);
    if (pool === undefined) throw notFound(`projects/${project}/locations/${location}/caPools/${id}`);
    return pool;
  }

  #keeping(name: unknown): Pool {
    const pool = this.#pool(name);
    if (pool.tier === 'DEVOPS') throw failedPrecondition('Certificates of the DevOps tier are not stored.');
    return pool;
  }

  #stored(name: unknown) {
    const pool = this.#keeping(name);
    const id = String(name).replace(/^.*\//, '');
    const certificate = pool.certificates.get(id);
    if (certificate === undefined) throw notFound(String(name));
    return { pool, id, certificate };
  }

  #template(name: unknown): object {
    const template = this.templates.get(String(name).replace(/^.*\//, ''));
    if (template === undefined) throw notFound(String(name));
    return template;
  }
}

/** From the CA to its root. */
function chainOf({ signer, top }: PoolCa): readonly string[] {
  return [signer.certificate.pem, top.certificate.pem];
}

function caFor({ cas }: Pool, parent: string, wanted: unknown): PoolCa {
  if (wanted !== undefined) {
    const ca = cas.find(({ id }) => id === wanted);
    if (ca === undefined) throw notFound(`${parent}/certificateAuthorities/${wanted}`);
    if (ca.state === 'ENABLED') return ca;
    throw failedPrecondition(`Certificate Authority '${parent}/certificateAuthorities/${ca.id}' is not enabled.`);
  }
  const ca = cas.find(({ state }) => state === 'ENABLED');
  if (ca === undefined) throw failedPrecondition(`CA pool '${parent}' has no Certificate Authority that is enabled.`);
  return ca;
}

function serialOf({ certificateDescription }: StoredCertificate): unknown {
  return (certificateDescription as { subjectDescription: { hexSerialNumber: string } }).subjectDescription
    .hexSerialNumber;
}
