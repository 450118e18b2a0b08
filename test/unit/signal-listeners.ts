import { getEventListeners } from 'node:events';

/** How many listeners a signal has, and how many signals `AbortSignal.any` made of it; Node keeps the latter in a set. */
export function listenersOf(signal: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(signal).find((each) => String(each).includes('kDependantSignals'));
  // Node makes the set with its first entry.
  const dependants = symbol && (signal as unknown as Record<symbol, { size: number } | undefined>)[symbol];
  return getEventListeners(signal, 'abort').length + (dependants?.size ?? 0);
}
