/** What the dashboard says of a panel; everything else about it follows from its kind. */
export interface Panel {
  readonly kind: 'stat' | 'lines' | 'areas' | 'bars' | 'table' | 'states';
  readonly title: string;
  /** Shown at the little i: what a person learns from it. */
  readonly description: string;
  /** Grafana's id of the unit. */
  readonly unit: string;
  readonly width: number;
  readonly height: number;
  readonly queries: readonly Query[];
  /** From which value on it is orange, and red; below that green. With `falling`, below which value. */
  readonly limits?: { readonly orange?: number; readonly red?: number; readonly falling?: boolean };
  /** For states: what 0 and 1 are called, and their colours if these are not red and green. */
  readonly states?: readonly [zero: string, one: string];
  readonly colors?: readonly [zero: string, one: string];
  readonly max?: number;
  /** For lines that are hours and years at once. */
  readonly logarithmic?: boolean;
}

export interface Query {
  readonly expr: string;
  /** How the series is called; for a table, how the column is. */
  readonly legend: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const small = { width: 4, height: 4 } as const;
export const third = { width: 8, height: 8 } as const;
export const half = { width: 12, height: 8 } as const;
