/** What the bench asks a process that it measures. */
export type Question =
  /** Sets the controller's clock forward. */
  | { readonly ask: 'advance'; readonly ms: number }
  | { readonly ask: 'state' }
  /** Measures delays of the event loop from now on. */
  | { readonly ask: 'timeLoop' }
  /** One round of the floor writer over all its objects. */
  | { readonly ask: 'round' }
  | { readonly ask: 'stop' };

export interface State {
  readonly rotations: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Since the clock was last set forward, or `timeLoop`. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** From the API server, on connections that are or were open. */
  readonly bytesReceived: number;
  readonly metricsPort: number;
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
