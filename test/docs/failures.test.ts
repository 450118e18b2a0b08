/** docs/guides/failures.md: its messages are those that the tests have seen, and its commands find the causes. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apache } from '../interop/servers/apache.ts';
import { caddy } from '../interop/servers/caddy.ts';
import { envoy } from '../interop/servers/envoy.ts';
import { etcd } from '../interop/servers/etcd.ts';
import { haproxy } from '../interop/servers/haproxy.ts';
import { nginx } from '../interop/servers/nginx.ts';
import { node } from '../interop/servers/node.ts';
import { postgresql } from '../interop/servers/postgresql.ts';
import { authority, type Credentials } from '../interop/support/authority.ts';
import { CLIENT_FAILURES } from '../interop/support/client.ts';
import { BAD_CLIENTS } from '../interop/support/reader.ts';
import { readResults } from '../interop/support/results.ts';
import { temporaryFolder } from '../interop/support/temporary.ts';
import { stopAll } from '../teardown.ts';

test.after(stopAll);

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/guides/failures.md'), 'utf8');

/** The results behind each column of the tables of clients. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  curl: ['client-curl'],
  Python: ['client-requests', 'client-httpx'],
  'Node.js': ['client-node-https', 'client-undici'],
  'Go, gRPC': ['client-go', 'client-grpc'],
  Java: ['client-java', 'client-java-jks'],
  psql: ['client-psql'],
};

/** The cells of the row that begins with `first`, by the heads of its table. */
function row(first: string): Readonly<Record<string, string>> {
  const cellsOf = (line = '') => line.split('|').map((cell) => cell.trim());
  const lines = PAGE.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${first} |`));
  assert.ok(at > 0, `there is no row ${first}`);
  const heads = cellsOf(lines[lines.findLastIndex((line, index) => index < at && line.startsWith('| ---')) - 1]);
  const cells = cellsOf(lines[at]);
  return Object.fromEntries(heads.map((head, index) => [head, cells[index] ?? '']));
}

const messagesOf = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

for (const failure of CLIENT_FAILURES)
  test(`clients say what the page says: ${failure}`, () => {
    const cells = row(failure);
    for (const [client, names] of Object.entries(CLIENTS)) {
      const seen = names.flatMap((name) =>
        ['1.2', '1.3'].map((tls) => readResults(name)?.refuses[`${failure}, TLS ${tls}`] ?? ''),
      );
      const messages = messagesOf(cells[client]);
      for (const text of seen)
        assert.ok(
          messages.some((message) => text.includes(message)),
          `${client} says: ${text}`,
        );
      for (const message of messages)
        assert.ok(
          seen.some((text) => text.includes(message)),
          `${client} doesn't say: ${message}`,
        );
    }
  });

for (const { title, refuses } of [apache, caddy, envoy, etcd, haproxy, nginx, node, postgresql])
  test(`${title} logs what the page says`, () => {
    const cells = row(title);
    for (const kind of BAD_CLIENTS) {
      const [message = ''] = messagesOf(cells[kind]);
      assert.match(message, refuses[kind].log ?? /^$/, kind);
    }
  });

/** What the commands under a comment of that name print for these files. */
function commandsPrint(name: string, { certificate, key, ca }: Credentials): string {
  const folder = temporaryFolder();
  for (const [file, text] of Object.entries({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': ca }))
    writeFileSync(join(folder, file), text, { mode: 0o600 });
  const script = new RegExp(`^<!-- openssl: ${name} -->\n\`\`\`sh\n([^]*?)^\`\`\`$`, 'm').exec(PAGE)?.[1];
  assert.ok(script, name);
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

test('the commands show a good certificate', async () => {
  const good = await (await authority(3)).issue();
  // OpenSSL 3.2 and later write no spaces around the sign.
  assert.match(commandsPrint('certificate', good).replaceAll(' = ', '='), `subject=CN=${good.commonName}`);
  assert.match(commandsPrint('certificate', good), 'TLS Web Client Authentication');
  assert.match(commandsPrint('verify', good), 'tls.crt: OK');
  const [one, two] = commandsPrint('pair', good).trim().split('\n');
  assert.is(one, two);
});

test('the commands show what is wrong', async () => {
  const ca = await authority(2);
  const good = await ca.issue();
  assert.match(commandsPrint('verify', await ca.issue({ lifeMs: -60_000 })), 'certificate has expired');
  assert.match(commandsPrint('verify', await ca.issue({ aheadMs: 3_600_000 })), 'certificate is not yet valid');
  const other = { ...good, ca: (await authority(2, 'Another CA')).ca };
  assert.match(commandsPrint('verify', other), 'unable to get local issuer certificate');
  const serving = await ca.issue({ usages: ['digital signature', 'server auth'] });
  assert.not.match(commandsPrint('certificate', serving), 'TLS Web Client Authentication');
  assert.match(commandsPrint('verify', serving), /unsuitable certificate purpose|unsupported certificate purpose/);
  const [one, two] = commandsPrint('pair', { ...good, key: serving.key })
    .trim()
    .split('\n');
  assert.is.not(one, two);
});

test.run();
