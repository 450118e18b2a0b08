/** Servers that ask an OCSP responder about their clients. */

import { installApache } from '../../interop/servers/apache.ts';
import { currentNginx, installNginx } from '../../interop/servers/nginx.ts';
import { type Authority, authority, type Credentials, SERVER } from '../../interop/support/authority.ts';
import { available } from '../../interop/support/available.ts';
import type { ChainLength } from '../../interop/support/cells.ts';
import type { RunningServer, ServerProgram } from '../../interop/support/reader.ts';
import type { Call } from '../../interop/support/request.ts';
import { startStage } from '../../interop/support/stage.ts';
import { GOOD, type OcspServer, ocspServer } from './ocsp-server.ts';

export interface OcspClient {
  readonly title: string;
  /**
   * It asks the responder at `url`, or the one that certificates name. `which` certificates of a chain it asks about; `more` is
   * written after its settings.
   */
  install(
    url: string | undefined,
    settings?: { readonly which?: 'leaf' | 'on'; readonly more?: string },
  ): Promise<ServerProgram>;
  readonly revoked: RegExp;
  /** The settings with which it resumes no session. */
  readonly noSessions: string;
}

const nginxWith =
  (build: Parameters<typeof installNginx>[1]): OcspClient['install'] =>
  (url, { which = 'leaf', more = '' } = {}) =>
    installNginx('nginx.conf', {
      ...build,
      replacements: {
        'ssl_verify_client on;': `ssl_verify_client on; ssl_ocsp ${which};${url === undefined ? '' : ` ssl_ocsp_responder ${url};`}${more}`,
      },
    });

const NGINX: OcspClient = {
  title: 'nginx',
  install: nginxWith({}),
  revoked: /client SSL certificate verify error: certificate revoked/,
  noSessions: ' ssl_session_tickets off;',
};

export const OCSP_CLIENTS: readonly OcspClient[] = [
  NGINX,
  { ...NGINX, title: 'nginx, current', install: nginxWith({ build: currentNginx }) },
  {
    title: 'Apache httpd',
    install: (url, { which = 'leaf', more = '' } = {}) => {
      const responder = url === undefined ? '' : `\n  SSLOCSPDefaultResponder ${url}\n  SSLOCSPOverrideResponder on`;
      return installApache({
        'SSLVerifyClient require': `SSLVerifyClient require\n  SSLOCSPEnable ${which}${responder}${more}`,
      });
    },
    revoked: /OCSP validation completed, certificate status: revoked/,
    noSessions: '\n  SSLSessionTickets off',
  },
];

/** Those that can be had on this machine. */
export async function ocspClients(): Promise<readonly OcspClient[]> {
  const found: OcspClient[] = [];
  for (const each of OCSP_CLIENTS)
    if ((await available(each.title, () => each.install('http://127.0.0.1'))) !== undefined) found.push(each);
  return found;
}

export interface OcspStage {
  readonly ca: Authority;
  readonly server: RunningServer;
  readonly ocsp: OcspServer;
  /** Issues a certificate, which the responder calls good. */
  client(): Promise<{ readonly credentials: Credentials; readonly call: Call }>;
  stop(): Promise<void>;
}

export interface OcspSettings {
  readonly which?: 'leaf' | 'on';
  readonly more?: string;
  /** Of the chain of clients, without the root. */
  readonly chain?: ChainLength;
  /** Whether the server's file of CAs holds the intermediates, too; otherwise the root alone. */
  readonly withIntermediates?: boolean;
  readonly validMs?: number;
}

/** A server, and a responder that knows the CA which signs, and no other. */
export async function ocspStage(
  program: OcspClient,
  { chain = 2, withIntermediates = false, validMs, ...settings }: OcspSettings = {},
): Promise<OcspStage> {
  const ca = await authority(chain);
  const own = await ca.issue(SERVER);
  const ocsp = await ocspServer(ca.holders.slice(0, 1), validMs === undefined ? {} : { validMs });
  const intermediates = ca.holders.slice(0, -1).map(({ certificate }) => certificate.pem);
  const above = withIntermediates ? intermediates.join('') : '';
  const { server } = await startStage(await program.install(ocsp.url, settings), { ...own, ca: own.ca + above });
  return {
    ca,
    server,
    ocsp,
    client: async () => {
      const credentials = await ca.issue();
      ocsp.statuses.set(credentials.serial, GOOD);
      return { credentials, call: { port: server.port, ca: ca.ca, client: credentials } };
    },
    stop: async () => {
      await server.stop();
      await ocsp.stop();
    },
  };
}
