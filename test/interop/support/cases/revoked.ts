import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curl } from '../../clients/curl.ts';
import { go as goClient } from '../../clients/go.ts';
import { java } from '../../clients/java.ts';
import { nodeHttps, undici } from '../../clients/node.ts';
import { httpx, requests } from '../../clients/python.ts';
import { installApache } from '../../servers/apache.ts';
import { caddy } from '../../servers/caddy.ts';
import { installEnvoy } from '../../servers/envoy.ts';
import { go } from '../../servers/go.ts';
import { installHaproxy } from '../../servers/haproxy.ts';
import { installNginx } from '../../servers/nginx.ts';
import { installOpenssl } from '../../servers/openssl.ts';
import { authority, SERVER } from '../authority.ts';
import { available } from '../available.ts';
import { TLS_VERSIONS } from '../cells.ts';
import type { ClientReader } from '../client.ts';
import { clientStage } from '../client-stage.ts';
import { refusalOf } from '../client-words.ts';
import type { ServerProgram } from '../reader.ts';
import { startStage } from '../stage.ts';
import { temporaryFolder } from '../temporary.ts';
import { type CaseTable, logged, SERVED, seenBy } from './case-table.ts';

interface CrlServer {
  readonly title: string;
  /** For the page: how it gets the list. */
  readonly setting: string;
  install(crl: string): Promise<ServerProgram>;
  /** The lists are in the file of the CAs. */
  readonly isWithCas?: true;
  /** The part of its log that says why. */
  readonly log?: RegExp;
}

const SERVERS: readonly CrlServer[] = [
  {
    title: 'nginx',
    setting: '`ssl_crl`',
    install: (crl) =>
      installNginx('nginx.conf', {
        replacements: { 'ssl_verify_client on;': `ssl_verify_client on; ssl_crl ${crl};` },
      }),
    log: /client SSL certificate verify error: \(\d+:[^)]*\)/,
  },
  {
    title: 'HAProxy',
    setting: '`crl-file`',
    install: (crl) => installHaproxy({ 'verify required': `verify required crl-file ${crl}` }),
    log: /verify=[1-9]\d* ca_verify=\d+|verify=0 ca_verify=[1-9]\d*/,
  },
  {
    title: 'Apache httpd',
    setting: '`SSLCARevocationFile`, `SSLCARevocationCheck chain`',
    install: (crl) =>
      installApache({
        'SSLVerifyClient require': `SSLVerifyClient require\n  SSLCARevocationFile ${crl}\n  SSLCARevocationCheck chain`,
      }),
    log: /Certificate Verification: Error \(\d+\): [\w ]+/,
  },
  {
    title: 'Envoy',
    setting: '`crl` of the `validation_context`',
    install: (crl) =>
      installEnvoy('envoy.yaml', {}, { 'validation_context:': `validation_context:\n      crl: { filename: ${crl} }` }),
    log: /certificate_revocation_check_against_provided_CRLs_failed:_[^:]*/,
  },
  {
    title: 'openssl s_server',
    setting: '`-crl_check_all`, lists in the file of `-CAfile`',
    install: () => installOpenssl(['-crl_check_all']),
    // Its option -CRL reads one list alone.
    isWithCas: true,
    log: /verify error:num=\d+:[\w ]+/,
  },
  { title: 'Go net/http', setting: 'none', install: () => go.install() },
  { title: 'Caddy', setting: 'none', install: () => caddy.install() },
];

/** What servers do with a revocation list, by what the list says. */
export async function revokedCases(): Promise<CaseTable> {
  const rows = [];
  for (const server of SERVERS) {
    const folder = temporaryFolder();
    if ((await available(server.title, () => server.install(join(folder, 'none')))) === undefined) continue;
    rows.push(await rowOf(server));
  }
  return {
    title: 'A revoked certificate',
    text: 'What a client sees, and what the server logs. The server has a list (CRL) of each CA of the chain, except in the last column: a CA that has replaced another one has no list yet.',
    columns: ['server', 'setting', 'revoked', 'others', 'the list has expired', 'no list of the CA'],
    rows,
  };
}

async function rowOf({ title, setting, install, isWithCas, log }: CrlServer): Promise<readonly string[]> {
  const ca = await authority(2);
  const own = await ca.issue(SERVER);
  const [revoked, other] = [await ca.issue(), await ca.issue()];
  const seen = async (lists: readonly string[], clients: readonly (typeof other)[]) => {
    const crl = join(temporaryFolder(), 'crl.pem');
    writeFileSync(crl, lists.join(''));
    const { server } = await startStage(await install(crl), isWithCas ? { ...own, ca: own.ca + lists.join('') } : own);
    const texts = [];
    for (const client of clients) {
      const before = server.log().length;
      const text = await seenBy({ port: server.port, ca: own.ca, client });
      const why = text === SERVED || log === undefined ? undefined : await logged(server.log, before, log);
      texts.push(why === undefined ? text : `${text}; logs \`${why.trim()}\``);
    }
    await server.stop();
    return texts;
  };
  const current = ca.revocationLists([revoked.serial]);
  return [
    title,
    setting,
    ...(await seen(current, [revoked, other])),
    ...(await seen(ca.revocationLists([], 'expired'), [other])),
    // The list of the root alone.
    ...(await seen(current.slice(0, 1), [other])),
  ];
}

const CLIENTS = [curl, goClient, requests, httpx, nodeHttps, undici, java];

/** What clients print whose certificate is revoked, with Apache as their server. */
export async function revokedClientCases(): Promise<CaseTable> {
  const ca = await authority(2);
  const own = await ca.issue();
  const crl = join(temporaryFolder(), 'crl.pem');
  writeFileSync(crl, ca.revocationLists([own.serial]).join(''));
  const [apache] = SERVERS.filter(({ title }) => title === 'Apache httpd');
  const server = await available('Apache httpd', async () => apache?.install(crl));
  const rows = [];
  for (const reader of server === undefined ? [] : CLIENTS)
    for (const tls of TLS_VERSIONS) {
      const program = await available(reader.title, reader.install);
      if (program === undefined || server === undefined) continue;
      const startServer: ClientReader['startServer'] = (setup) => server.start(setup);
      const stage = await clientStage({ ...reader, startServer }, { own, server: await ca.issue(SERVER), tls });
      const client = await program.start();
      // A reset of the connection may overtake the alert.
      const text = await refusalOf({ ...reader, vague: /^(?!.*revoked)/is }, client, stage);
      rows.push([`${reader.title}, TLS ${tls}`, `\`${text}\``]);
      await client.stop();
      await stage.stop();
    }
  return {
    title: 'The client’s certificate is revoked',
    text: 'The server is Apache. nginx answers 400 in place of an alert.',
    columns: ['client', 'prints'],
    rows,
  };
}
