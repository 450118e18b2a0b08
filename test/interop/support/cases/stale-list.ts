import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curl } from '../../clients/curl.ts';
import { go, installGo } from '../../clients/go.ts';
import { java } from '../../clients/java.ts';
import { nodeHttps, undici } from '../../clients/node.ts';
import { httpx, requests } from '../../clients/python.ts';
import { installNginx } from '../../servers/nginx.ts';
import { authority, SERVER } from '../authority.ts';
import { available, notOnPath } from '../available.ts';
import type { ClientAnswer, ClientReader, Question } from '../client.ts';
import { clientStage } from '../client-stage.ts';
import { plain } from '../client-words.ts';
import { temporaryFolder } from '../temporary.ts';
import { type CaseTable, SERVED } from './case-table.ts';

const opensslClient: ClientReader = {
  ...curl,
  title: 'openssl s_client',
  install: async () => ({ version: '', start: async () => ({ ask: askByOpenssl, stop: async () => {} }) }),
};

const CLIENTS: readonly ClientReader[] = [
  opensslClient,
  curl,
  go,
  { ...go, title: 'Go net/http with `Certificates`', install: () => installGo({ onlyListed: true }) },
  requests,
  httpx,
  nodeHttps,
  undici,
  java,
];

/** What clients do where the server trusts their CA, and the list of CA names that it sends lacks it. */
export async function staleListCases(): Promise<CaseTable> {
  const rows: (readonly string[])[] = [];
  const ca = await authority(2, 'Shop CA');
  const former = await authority(2, 'Former CA');
  const trusted = join(temporaryFolder(), 'trusted.crt');
  writeFileSync(trusted, ca.ca);
  const nginx = await available('nginx', () =>
    installNginx('nginx.conf', {
      replacements: { 'ssl_verify_client on;': `ssl_verify_client on; ssl_trusted_certificate ${trusted};` },
    }),
  );
  for (const reader of nginx === undefined ? [] : CLIENTS) {
    const program = await available(reader.title, reader.install);
    if (program === undefined || nginx === undefined) continue;
    const stage = await clientStage(
      { ...reader, startServer: (setup) => nginx.start(setup) },
      // The CA file of the server, whose names it sends, has the former CA alone.
      { own: await ca.issue(), server: { ...(await ca.issue(SERVER)), ca: former.ca } },
    );
    const client = await program.start();
    const answer = await client.ask(stage);
    rows.push([reader.title, textOf(answer, stage)]);
    await client.stop();
    await stage.stop();
  }
  return {
    title: 'The server trusts the client’s CA, and its list of CA names lacks it',
    text: 'In nginx the names are those of `ssl_client_certificate`, and `ssl_trusted_certificate` is trusted without being listed. TLS lets the server send such a list, and clients choose a certificate by it or ignore it. Where the server doesn’t trust the CA either, see *unknown CA, or a stale list* above.',
    columns: ['client', 'what it does'],
    rows,
  };
}

function textOf(answer: ClientAnswer, question: Question): string {
  if ('error' in answer) return `\`${plain(answer.error, question)}\``;
  if (answer.status === 200) return `shows its certificate all the same, and ${SERVED}`;
  const title = /<title>(.*?)<\/title>/.exec(answer.body)?.[1] ?? answer.body;
  return `shows no certificate: HTTP ${answer.status}, \`${title}\``;
}

/** One request through `openssl s_client`. */
async function askByOpenssl({ port, directory }: Question): Promise<ClientAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientAnswer>();
  const tls = ['-cert', `${directory}/tls.crt`, '-key', `${directory}/tls.key`, '-CAfile', `${directory}/ca.crt`];
  const options = ['-cert_chain', `${directory}/tls.crt`, '-verify_return_error', '-quiet', '-servername', 'localhost'];
  const process_ = execFile(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, ...tls, ...options],
    (error, stdout, stderr) => {
      if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') reject(error);
      const [, status, body = ''] = /^HTTP\/1\.1 (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(stdout) ?? [];
      resolve(status === undefined ? { error: stderr } : { status: Number(status), body });
    },
  );
  process_.stdin?.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  return promise.catch(notOnPath('openssl'));
}
