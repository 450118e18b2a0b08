/** A figure that is measured: what it must reach, and what it aims at. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Whether more or less is better. */
  readonly better: 'more' | 'less';
  readonly must: number;
  readonly aim: number;
  /** Counts don't depend on the machine; the quick bench fails on them alone. */
  readonly kind: 'count' | 'measure';
}

export const FIGURES = {
  rateRatio: { name: 'rotations/s ÷ floor writer', unit: '', better: 'more', must: 0.65, aim: 0.8, kind: 'measure' },
  writes: { name: 'mutating requests a rotation', unit: '', better: 'less', must: 2.05, aim: 2, kind: 'count' },
  firstWrites: { name: 'mutating requests a first issue', unit: '', better: 'less', must: 2.05, aim: 2, kind: 'count' },
  reads: { name: 'reads a rotation', unit: '', better: 'less', must: 0.1, aim: 0, kind: 'count' },
  restWrites: { name: 'writes in 20 s at rest', unit: '', better: 'less', must: 0, aim: 0, kind: 'count' },
  readyP50: { name: 'create to Ready, p50', unit: 'ms', better: 'less', must: 40, aim: 20, kind: 'measure' },
  readyP99: { name: 'create to Ready, p99', unit: 'ms', better: 'less', must: 150, aim: 60, kind: 'measure' },
  cpu: { name: 'controller CPU a rotation', unit: 'ms', better: 'less', must: 4, aim: 2, kind: 'measure' },
  idleMemory: { name: 'resident memory, idle', unit: 'MB', better: 'less', must: 110, aim: 80, kind: 'measure' },
  certificateMemory: { name: '+ 10,000 certificates', unit: 'MB', better: 'less', must: 40, aim: 20, kind: 'measure' },
  foreignMemory: {
    name: '+ 300 foreign Secrets of 1 MB',
    unit: 'MB',
    better: 'less',
    must: 5,
    aim: 0,
    kind: 'measure',
  },
  firstLine: { name: 'start to first log line', unit: 's', better: 'less', must: 0.5, aim: 0.3, kind: 'measure' },
  synced: { name: 'start to synced, 10,000 certificates', unit: 's', better: 'less', must: 5, aim: 3, kind: 'measure' },
  stormRate: {
    name: '10,000 due at once: share of the full rate',
    unit: '',
    better: 'more',
    must: 0.9,
    aim: 0.95,
    kind: 'measure',
  },
  stormOrder: {
    name: '10,000 due at once: out of order of expiry',
    unit: '%',
    better: 'less',
    must: 1,
    aim: 0,
    kind: 'count',
  },
  stormDelay: {
    name: '10,000 due at once: event loop delay p99',
    unit: 'ms',
    better: 'less',
    must: 100,
    aim: 50,
    kind: 'measure',
  },
  scrapeTurn: {
    name: '20,000 certificates scraped: longest turn of the event loop',
    unit: 'ms',
    better: 'less',
    must: 100,
    aim: 50,
    kind: 'measure',
  },
  stormLease: { name: '10,000 due at once: Leases lost', unit: '', better: 'less', must: 0, aim: 0, kind: 'count' },
  peak: { name: 'due times of 10,000: peak ÷ mean minute', unit: '', better: 'less', must: 3, aim: 2, kind: 'count' },
  slowNeighbour: {
    name: 'rate kept beside a slow authority',
    unit: '',
    better: 'more',
    must: 0.9,
    aim: 0.98,
    kind: 'measure',
  },
} as const satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;

export interface Measured {
  readonly value: number;
  /** Half the range of the repeats, as a share of the value. */
  readonly spread?: number;
}

export type Results = Partial<Record<FigureName, Measured>>;

export function meets(figure: Figure, value: number, bound: 'must' | 'aim'): boolean {
  return figure.better === 'more' ? value >= figure[bound] : value <= figure[bound];
}

/** The table for people. */
export function table(results: Results): string {
  const rows = (Object.keys(FIGURES) as FigureName[]).flatMap((name) => {
    const measured = results[name];
    if (measured === undefined) return [];
    const figure: Figure = FIGURES[name];
    const verdict = !meets(figure, measured.value, 'must')
      ? 'MISSED'
      : meets(figure, measured.value, 'aim')
        ? 'aim'
        : 'must';
    const spread = measured.spread === undefined ? '' : `±${Math.round(measured.spread * 100)} %`;
    return [
      [
        figure.name,
        `${round(measured.value)} ${figure.unit}`.trim(),
        spread,
        String(figure.must),
        String(figure.aim),
        verdict,
      ],
    ];
  });
  const all = [['figure', 'measured', 'spread', 'must', 'aim', 'reached'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** The figures whose must is missed; in a quick run only counts are held against it. */
export function missed(results: Results, kinds: readonly Figure['kind'][]): FigureName[] {
  return (Object.entries(results) as [FigureName, Measured][])
    .filter(([name, { value }]) => kinds.includes(FIGURES[name].kind) && !meets(FIGURES[name], value, 'must'))
    .map(([name]) => name);
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
