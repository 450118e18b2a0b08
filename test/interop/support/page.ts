/** docs/interop.md, from the results of the long runs. */
import { globSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ALL_CELLS, CA_KEYS, type Cell, cellName, KEYS, keyName, ROLES, type Role, TLS_VERSIONS } from './cells.ts';
import { type Results, readResults, WORKS } from './results.ts';

const ROOT = join(import.meta.dirname, '../../..');
export const PAGE = join(ROOT, 'docs/interop.md');

export function writePage(): void {
  writeFileSync(PAGE, pageOf(allResults()));
}

export function allResults(): readonly Results[] {
  const names = globSync('test/interop/results/*.json', { cwd: ROOT }).map((file) => basename(file, '.json'));
  return names
    .sort()
    .map(readResults)
    .filter((each) => each !== undefined);
}

export function pageOf(all: readonly Results[]): string {
  const of = (kind: Results['kind']) => all.filter((each) => each.kind === kind);
  return [
    HEAD,
    ...section('Servers', of('server')),
    ...section('Clients', of('client')),
    ...authorities(all),
    ...peers(of('client')),
    ...refusals('Clients that servers refuse', of('server')),
    ...rotations(all),
  ].join('\n');
}

const HEAD = `<!-- Written by the long form of the tests: make test-interop-long -->
# Programs that read the certificates

This page lists the programs that were tried with certificates of Certwheel, and what each of them did. \`make test-interop-long\`
runs all cells and writes this page. \`make test-interop\` runs a part of them and compares it with this page.

- Each cell is one certificate: the type of its key, TLS 1.2 or 1.3, and one to three certificates in \`tls.crt\` (the leaf and
  its intermediates). The root is in \`ca.crt\` alone. The keys of the CA are ECDSA P-256 except in the table about them.
- A program *presents* its own certificate and *verifies* those of its peers. Each is tried apart; the other side then has
  an ECDSA P-256 certificate with one intermediate.
- **works** means: the request got the expected answer (for a server: HTTP 200 or its equivalent, with the identity of the
  client as the server saw it). A handshake alone is not enough.
- Any other text is the message with which the program refuses such certificates.
`;

function section(title: string, all: readonly Results[]): string[] {
  if (all.length === 0) return [];
  const names = KEYS.map(keyName);
  return [
    `## ${title}\n`,
    row(['', 'version', ...names]),
    row(['---', '---', ...names.map(() => '---')]),
    ...all.map((each) =>
      row([
        each.title,
        `${each.version} (${each.source})`,
        ...KEYS.map((key) => cellsOf(each, (cell) => cell.caKey === undefined && cell.key === key)),
      ]),
    ),
    '',
  ];
}

function authorities(all: readonly Results[]): string[] {
  if (all.length === 0) return [];
  const names = CA_KEYS.map(keyName);
  return [
    '## Keys of the CA\n',
    'The leaf has an ECDSA P-256 key; the root and its intermediate have a key of this kind.\n',
    row(['', ...names]),
    row(['---', ...names.map(() => '---')]),
    ...all.map((each) => row([titleOf(each), ...CA_KEYS.map((key) => cellsOf(each, ({ caKey }) => caKey === key))])),
    '',
  ];
}

function peers(clients: readonly Results[]): string[] {
  const tried = clients.filter(({ peers = {} }) => Object.keys(peers).length > 0);
  if (tried.length === 0) return [];
  const names = [...new Set(tried.flatMap(({ peers = {} }) => Object.keys(peers)))];
  return [
    '## Clients with nginx as their server\n',
    'The tables above are about servers of Go. These are about nginx; during the rotation requests are made, and none failed.\n',
    row(['', ...names]),
    row(['---', ...names.map(() => '---')]),
    ...tried.map(({ title, peers = {} }) => row([title, ...names.map((name) => peers[name] ?? 'not tried')])),
    '',
  ];
}

/** Some programs are both. */
const titleOf = ({ title, kind }: Results) => `${title}${kind === 'client' ? ' (client)' : ''}`;

/** One text for the cells of one key: `works`, or each message with the cells that it is about. */
function cellsOf({ cells }: Results, isMeant: (cell: Cell) => boolean): string {
  const seen = ALL_CELLS.filter(isMeant).flatMap((cell) => {
    const outcome = cells[cellName(cell)];
    return outcome === undefined ? [] : [{ cell, outcome }];
  });
  if (seen.length === 0) return 'not tried';
  const byOutcome = Object.entries(Object.groupBy(seen, ({ outcome }) => outcome));
  if (byOutcome.length === 1 && byOutcome[0]?.[0] === WORKS) return WORKS;
  return ROLES.flatMap((role) => roleText(role, byOutcome)).join('; ');
}

function roleText(role: Role, byOutcome: readonly (readonly [string, { cell: Cell }[] | undefined])[]): string[] {
  return byOutcome.flatMap(([outcome, all = []]) => {
    const cells = all.map(({ cell }) => cell).filter((cell) => cell.role === role);
    if (cells.length === 0) return [];
    const versions = TLS_VERSIONS.filter((tls) => cells.some((cell) => cell.tls === tls));
    const chains = [...new Set(cells.map(({ chain }) => chain))].sort();
    const where = [
      ...(versions.length === TLS_VERSIONS.length ? [] : [`TLS ${versions.join(', ')}`]),
      ...(chains.length === 3 || cells.every(({ caKey }) => caKey !== undefined)
        ? []
        : [`chain of ${chains.join(', ')}`]),
    ];
    const text = outcome === WORKS ? WORKS : `refused: \`${outcome.replaceAll('|', '\\|')}\``;
    return [`${role}${where.length === 0 ? '' : ` (${where.join(', ')})`}: ${text}`];
  });
}

function refusals(title: string, all: readonly Results[]): string[] {
  if (all.length === 0) return [];
  const kinds = [...new Set(all.flatMap(({ refuses }) => Object.keys(refuses)))];
  const cell = (text: string | undefined) => (text === undefined ? '' : `\`${text.replaceAll('|', '\\|')}\``);
  return [
    `## ${title}\n`,
    'The text is what the other side sees. The pages in [guides](guides) list what the program itself logs.\n',
    row(['', ...kinds]),
    row(['---', ...kinds.map(() => '---')]),
    ...all.map(({ title, refuses }) => row([title, ...kinds.map((kind) => cell(refuses[kind]))])),
    '',
  ];
}

function rotations(all: readonly Results[]): string[] {
  if (all.length === 0) return [];
  const kinds = [...new Set(all.flatMap(({ rotations }) => Object.keys(rotations)))];
  return [
    '## Rotations\n',
    'Requests are made all the while, each over a new connection. **works** means that none of them failed.\n',
    row(['', 'how it loads new files', ...kinds]),
    row(['---', '---', ...kinds.map(() => '---')]),
    ...all.map(({ title, reloads, rotations }) => row([title, reloads, ...kinds.map((kind) => rotations[kind] ?? '')])),
    '',
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
