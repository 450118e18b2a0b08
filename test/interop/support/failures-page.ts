/** The table of docs/guides/failures.md, from the results of the long runs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCases } from './cases/case-table.ts';
import { CLIENT_FAILURES } from './client.ts';
import { allResults } from './page.ts';

const PAGE = join(import.meta.dirname, '../../../docs/guides/failures.md');
const MARK = '<!-- Written by the long form of the tests: make test-interop-long -->';
const END = '<!-- The end of what is written by the tests. -->';

const TITLES: Readonly<Record<string, string>> = {
  expired: 'The client’s certificate has expired',
  'not yet valid': 'The client’s certificate is not yet valid: a clock is wrong',
  'unknown CA': 'The server’s list of CAs lacks the CA of the client’s certificate: unknown CA, or a stale list',
  'for server auth alone': 'The client’s certificate is for servers alone',
  'key mismatch': 'The client’s key does not match its certificate',
  'wrong format': 'The client’s certificate is in the wrong format: DER for PEM, PEM for a key store',
  'server: expired': 'The server’s certificate has expired',
  'server: not yet valid': 'The server’s certificate is not yet valid: a clock is wrong',
  'server: unknown CA': 'The client’s ca.crt lacks the CA of the server’s certificate: unknown CA, or a stale file',
  'server: another name': 'The server’s certificate is for another name',
  'server: for client auth alone': 'The server’s certificate is for clients alone',
};

/** What each client prints, by failure. */
export function failureTables(): string {
  const clients = allResults().filter(({ kind }) => kind === 'client');
  return CLIENT_FAILURES.map((failure) => {
    const rows = clients.flatMap(({ title, refuses }) => {
      const [older, newer] = ['1.2', '1.3'].map((tls) => refuses[`${failure}, TLS ${tls}`]);
      if (older === newer) return [`| ${title} | ${code(newer)} |`];
      return [`| ${title}, TLS 1.2 | ${code(older)} |`, `| ${title}, TLS 1.3 | ${code(newer)} |`];
    });
    return [`### ${TITLES[failure]}`, '', '| client | prints |', '| --- | --- |', ...rows, ''].join('\n');
  }).join('\n');
}

/** What is more than a client and a server of Go. */
function caseTables(): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const tables = readCases().map(({ title, text, columns, rows }) =>
    [`### ${title}`, '', text, '', line(columns), line(columns.map(() => '---')), ...rows.map(line), ''].join('\n'),
  );
  return tables.join('\n');
}

/** The page with the tables of the results. */
export function failuresPage(page = readFileSync(PAGE, 'utf8')): string {
  const [before, rest] = page.split(`${MARK}\n`);
  const after = rest?.split(`${END}\n`)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} lacks the marks around its tables`);
  return `${before}${MARK}\n${failureTables()}\n${caseTables()}\n${END}\n${after}`;
}

export function writeFailuresPage(): void {
  writeFileSync(PAGE, failuresPage());
}

const code = (text: string | undefined) => (text === undefined ? 'not tried' : `\`${text.replaceAll('|', '\\|')}\``);
