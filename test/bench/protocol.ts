/** What the bench asks a process that it measures. */
export type Question =
  | { readonly ask: 'advance'; readonly ms: number }
  | { readonly ask: 'state' }
  | { readonly ask: 'stop' };

export interface State {
  readonly rotations: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly loopDelayP99Ms: number;
}

export interface Answer {
  readonly ready?: boolean;
  readonly state?: State;
}
