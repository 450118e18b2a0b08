/** Servers that verify clients against revocation lists: their settings, and how each loads a new list. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { installApache } from '../../interop/servers/apache.ts';
import { installEnvoy } from '../../interop/servers/envoy.ts';
import { installHaproxy } from '../../interop/servers/haproxy.ts';
import { currentNginx, installNginx } from '../../interop/servers/nginx.ts';
import { postgresql, startPostgresql } from '../../interop/servers/postgresql.ts';
import type { RunningServer, ServerProgram, ServerReader } from '../../interop/support/reader.ts';

export interface CrlPlace {
  /** The file with the lists, beside the files of the mounted Secret. */
  readonly crl: string;
  /** For files of the server. */
  readonly folder: string;
}

/** By a part of the configuration: what is written after it, or in its place. */
export type More = Readonly<Record<string, string | { readonly instead: string }>>;

export interface CrlServer {
  readonly title: string;
  install(place: CrlPlace, more?: More): Promise<ServerProgram>;
  /** Makes it use the lists that its file holds now, or `lists` where it takes them from the caller. */
  load(server: RunningServer, place: CrlPlace, lists: string): Promise<void>;
  /** What it logs of a client that is on a list. */
  readonly revoked: RegExp;
  /** And of one whose CA has no list. */
  readonly noList: RegExp;
  /** Makes one request over a new connection, where the server doesn't speak HTTP/1.1. */
  readonly ask?: ServerReader['request'];
  /** What its Pod needs. */
  readonly permissions?: ServerReader['permissions'];
}

const reload = (server: RunningServer) => server.reload();

/** As replacements, where several of them are about one part. */
function continued(...all: readonly More[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const each of all)
    for (const [part, more] of Object.entries(each))
      found[part] = typeof more === 'string' ? (found[part] ?? part) + more : more.instead;
  return found;
}

export const NGINX: CrlServer = {
  title: 'nginx',
  install: ({ crl }, more = {}) =>
    installNginx('nginx.conf', { replacements: continued({ 'ssl_verify_client on;': ` ssl_crl ${crl};` }, more) }),
  load: reload,
  revoked: /client SSL certificate verify error: \(23:certificate revoked\)/,
  noList: /client SSL certificate verify error: \(3:unable to get certificate CRL\)/,
};

export const NGINX_CURRENT: CrlServer = {
  ...NGINX,
  title: 'nginx, current',
  install: ({ crl }, more = {}) =>
    installNginx('nginx.conf', {
      replacements: continued({ 'ssl_verify_client on;': ` ssl_crl ${crl};` }, more),
      build: currentNginx,
    }),
};

export const APACHE: CrlServer = {
  title: 'Apache httpd',
  install: ({ crl }, more = {}) =>
    installApache(
      continued({ 'SSLVerifyClient require': `\n  SSLCARevocationFile ${crl}\n  SSLCARevocationCheck chain` }, more),
    ),
  load: reload,
  revoked: /Certificate Verification: Error \(23\): certificate revoked/,
  noList: /Certificate Verification: Error \(3\): unable to get certificate CRL/,
};

export const HAPROXY: CrlServer = {
  title: 'HAProxy',
  install: ({ crl }, more = {}) => installHaproxy(continued({ 'verify required': ` crl-file ${crl}` }, more)),
  load: reload,
  revoked: /verify=23 ca_verify=0/,
  noList: /verify=3 ca_verify=0/,
};

export const HAPROXY_SWAP: CrlServer = {
  ...HAPROXY,
  title: 'HAProxy, by its socket',
  load: async (_, { folder, crl }, lists) => {
    const socket = join(folder, 'admin.sock');
    await tellHaproxy(socket, `set ssl crl-file ${crl} <<\n${lists.trimEnd()}\n\n`, /transaction (created|updated)/);
    await tellHaproxy(socket, `commit ssl crl-file ${crl}\n`, /Success/);
  },
};

/** The part of Envoy's settings that is in a file of its own. */
export const ENVOY_CLIENTS = 'validation_context:';

export const ENVOY: CrlServer = {
  title: 'Envoy',
  install: ({ crl }, more = {}) => {
    const list = { [ENVOY_CLIENTS]: `\n      crl: { filename: ${crl} }` };
    const { [ENVOY_CLIENTS]: clients = '', ...others } = continued(list, more);
    return installEnvoy('envoy.yaml', others, { [ENVOY_CLIENTS]: clients });
  },
  // It watches the folder.
  load: async () => {},
  revoked: /certificate_revocation_check_against_provided_CRLs_failed:_certificate_revoked/,
  noList: /certificate_revocation_check_against_provided_CRLs_failed:_unable_to_get_certificate_CRL/,
};

/** It has no log of its own of why a certificate is refused before version 16. */
const POSTGRESQL_REFUSED = /could not accept SSL connection: certificate verify failed/;

export const POSTGRESQL: CrlServer = {
  title: 'PostgreSQL',
  install: async ({ crl }) => ({
    ...(await postgresql.install()),
    start: (setup) => startPostgresql(setup, `\nssl_crl_file = '${crl}'\n`),
  }),
  load: reload,
  revoked: POSTGRESQL_REFUSED,
  noList: POSTGRESQL_REFUSED,
  ask: postgresql.request,
  permissions: postgresql.permissions,
};

/** Those that speak HTTP. */
export const CRL_SERVERS = [NGINX, NGINX_CURRENT, APACHE, HAPROXY, HAPROXY_SWAP, ENVOY] as const;

/** Sends a command to HAProxy's runtime API and returns the answer. Throws an Error with that where it is not as expected. */
export async function tellHaproxy(socket: string, command: string, expected: RegExp): Promise<string> {
  const connection = connect(socket);
  connection.end(command);
  const answer = await text(connection);
  if (!expected.test(answer)) throw new Error(`HAProxy answers: ${answer.trim()}`);
  return answer;
}
