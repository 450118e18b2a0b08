import { CLOUDFLARE_API } from '../../../src/backends/cloudflare/api.ts';
import { membersOf } from '../../../src/backends/http/json-members.ts';
import { onStop } from '../../teardown.ts';
import { directTo } from './cloudflare-direct.ts';
import { cloudflareSubject } from './cloudflare-subject.ts';
import { putToken, TOKEN_SECRET } from './cloudflare-world.ts';
import { caBundleOf, type Environment, fileOf, required } from './real-environment.ts';
import type { RealSubject, Spec } from './subject.ts';

const VARIABLES = ['CLOUDFLARE_ZONE_ID', 'CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_MANAGED_CA'] as const;
const NOT_OURS = 'the real service is shared: nothing may stop it or stand before it';
/** Rows that need nothing of the fake. */
const STEPS = ['there is no Secret', 'the Secret lacks the key', 'the token is unknown', 'there is no trust bundle'];

/**
 * The zone of CLOUDFLARE_ZONE_ID with the token CLOUDFLARE_API_TOKEN, and the certificate of the managed CA in the file
 * CLOUDFLARE_MANAGED_CA; CLOUDFLARE_SERVER and CLOUDFLARE_CA_BUNDLE name another server and the CA of its TLS. Throws an Error for what is not set.
 */
export function realSubject(env: Environment): RealSubject {
  const given = required(env, 'docs/authorities/cloudflare.md', VARIABLES);
  const { CLOUDFLARE_ZONE_ID: zone, CLOUDFLARE_API_TOKEN: token } = given;
  const inline = fileOf(given, 'CLOUDFLARE_MANAGED_CA');
  const { CLOUDFLARE_SERVER: server = CLOUDFLARE_API } = env;
  const caBundle = caBundleOf(env, 'CLOUDFLARE_CA_BUNDLE');
  const quota = { maxCertificates: 100, revokeAfter: '5m' };
  const trustBundle = { inline, partialChain: true };
  const spec: Spec = {
    zone,
    apiTokenSecretRef: { name: TOKEN_SECRET, key: 'token' },
    trustBundle,
    ...quota,
    server,
    ...(caBundle && { caBundle }),
  };
  const api = new ZoneApi(server, zone, token);
  return {
    ...cloudflareSubject,
    costs: `about 15 certificates of one day in zone ${zone}, which Cloudflare doesn't bill; at the end each certificate that wasn't active before is revoked, so nothing else may issue in this zone meanwhile`,
    exempt: {
      ...cloudflareSubject.exempt,
      'a connection that is spoilt, slow or busy': NOT_OURS,
      'credentials that are rotated under it': 'the token is yours',
      'a minute without what signs': NOT_OURS,
    },
    lives: ['1h', '24h'],
    checks: cloudflareSubject.checks.filter(({ step }) => STEPS.includes(step)),
    start: async () => {
      const before = new Set((await api.active()).map(({ id }) => id));
      const clean = onStop(async () => {
        const made = (await api.active()).filter(({ id }) => !before.has(id));
        console.log(`# revoking ${made.length} certificates of this run`);
        const ended = await Promise.allSettled(made.map(({ id }) => api.call('DELETE', `/${id}`)));
        const left = made.filter((_, index) => ended[index]?.status === 'rejected').map(({ id }) => id);
        if (left.length > 0) throw new Error(`still active in zone ${zone}, revoke by hand: ${left.join(', ')}`);
      });
      return {
        prepare: async (where) => {
          await putToken(where, token);
          return spec;
        },
        revocation: {
          backend: () => directTo(spec, () => token).backend,
          saysOf: (serialNumber) => api.stateOf(serialNumber),
          superseded: /^(pending_revocation|revoked)$/,
        },
        stop: async () => void (await clean()),
      };
    },
  };
}

interface Listed {
  readonly id: string;
  readonly serial_number: string;
  readonly status: string;
}

/** The API by itself, and by none of the code of the backend. */
class ZoneApi {
  readonly #server: string;
  readonly #zone: string;
  readonly #token: string;

  constructor(server: string, zone: string, token: string) {
    this.#server = server;
    this.#zone = zone;
    this.#token = token;
  }

  async call(method: string, path: string): Promise<Readonly<Record<string, unknown>>> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#server}/zones/${this.#zone}/client_certificates${path}`, { method, headers });
    if (!answer.ok) throw new Error(`${method} ${path.split('?')[0]} of the zone was answered ${answer.status}`);
    return membersOf(await answer.json());
  }

  async active(status = 'active'): Promise<readonly Listed[]> {
    const found: Listed[] = [];
    for (let page = 1; ; page++) {
      const { result } = await this.call('GET', `?status=${status}&per_page=50&page=${page}`);
      const list = Array.isArray(result) ? (result as Listed[]) : [];
      found.push(...list);
      if (list.length < 50) return found;
    }
  }

  async stateOf(serialNumber: string): Promise<string | undefined> {
    const isIt = (each: Listed) => BigInt(`0x${each.serial_number}`) === BigInt(`0x${serialNumber}`);
    const found = (await this.active('all')).find(isIt);
    return found?.status === 'active' ? undefined : found?.status;
  }
}
