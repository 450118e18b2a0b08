import type { KeySpec } from '../../../src/pki/keys.ts';
import { CHAINS, KEYS, keyName } from '../../interop/support/cells.ts';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly [name: string, ...figures: string[]])[];
}

/** The keys of clients; undefined is a client without a certificate. */
export const CLIENT_KEYS: readonly (KeySpec | undefined)[] = [
  undefined,
  ...KEYS.filter((key) => keyName(key) !== 'ECDSA P-521'),
];

/** How a request gets its connection. */
export const CONNECTIONS = ['full handshake', 'resumed session', 'kept connection'] as const;
export type Connection = (typeof CONNECTIONS)[number];

/** The CPU time of a request, with what it takes to open and end its connection. */
export interface Cost {
  readonly serverMicros: number;
  readonly clientMicros: number;
}

/** What the client sends and reads in a full handshake. */
export interface Bytes {
  readonly bytesSent: number;
  readonly bytesRead: number;
}

/** The costs in the order of CLIENT_KEYS; the first is what the others are compared with. */
export function keysTable(costs: readonly (Cost & Bytes)[]): Table {
  return {
    columns: [
      'client certificate',
      'CPU of nginx',
      'CPU of the client',
      'connections/s on one core of nginx',
      'bytes sent',
    ],
    rows: CLIENT_KEYS.map((key, at) => [
      key === undefined ? 'none: TLS without mTLS' : keyName(key),
      ...ratios(costs, at),
      String(Math.round(1e4 / (costs[at]?.serverMicros ?? Number.NaN)) * 100),
      String(costs[at]?.bytesSent),
    ]),
  };
}

/** The costs in the order of CONNECTIONS. */
export function connectionsTable(costs: readonly Cost[]): Table {
  return {
    columns: ['a request on a', 'CPU of nginx', 'CPU of the client'],
    rows: CONNECTIONS.map((name, at) => [name, ...ratios(costs, at)]),
  };
}

/** The costs in the order of CHAINS. */
export function chainsTable(costs: readonly (Cost & Bytes)[]): Table {
  return {
    columns: ['certificates in `tls.crt`', 'CPU of nginx', 'CPU of the client', 'bytes sent', 'bytes read'],
    rows: CHAINS.map((length, at) => [
      String(length),
      ...ratios(costs, at),
      String(costs[at]?.bytesSent),
      String(costs[at]?.bytesRead),
    ]),
  };
}

/** Without figures, in the order of the page. */
export function emptyTables(): readonly Table[] {
  return [keysTable([]), connectionsTable([]), chainsTable([])];
}

function ratios(costs: readonly Cost[], at: number): [server: string, client: string] {
  const ratio = (figure: (cost: Cost) => number) => {
    const [base, cost] = [costs[0], costs[at]];
    return base === undefined || cost === undefined ? '' : (figure(cost) / figure(base)).toFixed(2);
  };
  return [ratio(({ serverMicros }) => serverMicros), ratio(({ clientMicros }) => clientMicros)];
}

export function markdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
