const UNITS_IN_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  // The micro sign, and the Greek letter that looks like it.
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};
const PART = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|\u00b5s|\u03bcs|ns)/gy;

/**
 * Reads a duration in Go's syntax (`1h30m`, `90s`), which is what kubectl users write and what CEL's `duration()`
 * takes; days and weeks don't exist in it. Answers milliseconds, undefined for anything else, signs included.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let total = 0;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    total += Number(part[1]) * (UNITS_IN_MS[part[2] ?? ''] ?? Number.NaN);
    end = PART.lastIndex;
  }
  return end === text.length && end > 0 ? total : undefined;
}

/** Writes milliseconds as Go would, whole seconds only: `24h`, `1h30m`, `45s`. */
export function formatDuration(ms: number): string {
  let seconds = Math.max(0, Math.round(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  seconds -= hours * 3600;
  const minutes = Math.floor(seconds / 60);
  seconds -= minutes * 60;
  const text = `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
  return text === '' ? '0s' : text;
}
