import type { Size } from './rotations.ts';

/** Takes 80 s on two cores. */
export const SHORT: Size = {
  clients: 30,
  durations: ['1m'],
  requests: 1_500,
  requestsPerSecond: 20,
  propagation: '2s',
  lagMs: 1_200,
};

/** Certificates of several lives, so that renewals and re-issues meet. */
export const LONG: Size = {
  clients: 200,
  durations: ['1m', '2m', '5m'],
  requests: 13_000,
  requestsPerSecond: 60,
  propagation: '5s',
  lagMs: 3_500,
};
