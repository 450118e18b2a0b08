import { writesIn } from '../audit-tail.ts';
import type { Round } from './round.ts';

type Row = readonly [name: string, value: (round: Round) => number, unit: string, digits: number];

/** As in docs/performance.md: a column for each product, with the mean of its rounds, and the rounds in parentheses. */
export function peersTable(rounds: readonly Round[], count: number): string {
  const rows: readonly Row[] = [
    [
      `${count.toLocaleString('en')} certificates created at once: until all are Ready`,
      ({ seconds }) => seconds,
      's',
      1,
    ],
    ['mutating requests a certificate', ({ requests }) => writesIn(requests) / count, '', 2],
    ['controller CPU a certificate', ({ controllerCpuMs }) => controllerCpuMs / count, 'ms', 1],
    ['kube-apiserver CPU a certificate', ({ apiServerCpuMs }) => apiServerCpuMs / count, 'ms', 1],
    ['resident memory afterwards', ({ memoryMb }) => memoryMb, 'MB', 0],
  ];
  const peers = [...Map.groupBy(rounds, ({ peer }) => peer)];
  const lines = rows.map(([name, value, unit, digits]) => [
    name,
    ...peers.map(([, all]) => {
      const values = all.map(value);
      const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
      const shown = [mean.toFixed(digits), unit, `(${values.map((each) => each.toFixed(digits)).join(', ')})`];
      return shown.filter((part) => part !== '').join(' ');
    }),
  ]);
  return [['figure', ...peers.map(([name]) => name)], ['---', ...peers.map(() => '---')], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
