/** What the bench asks a process that it measures. */
export type Question =
  /** Sets the controller's clock forward. */
  | { readonly ask: 'advance'; readonly ms: number }
  | { readonly ask: 'state' }
  /** One round of the floor writer over all its objects. */
  | { readonly ask: 'round' }
  | { readonly ask: 'stop' };

export interface State {
  readonly rotations: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Since the clock was last set forward. */
  readonly loopDelayP99Ms: number;
}

export interface FloorRound {
  readonly count: number;
  readonly seconds: number;
  readonly cpuMs: number;
}

export interface Answer {
  readonly ready?: boolean;
  readonly state?: Omit<State, 'rssBytes'>;
  readonly round?: FloorRound;
}
