/**
 * A look at an authority goes through all its certificates, and takes one or two hundredths of a millisecond for each. So that the
 * looks at a large one take no more than a tenth or a fifth of the time, that long passes between two.
 */
const PAUSE_MS_EACH = 0.1;

/** Between two looks for no other reason than that certificates have changed: `leastMs`, or more where they are many. */
export function pauseMs(certificates: number, leastMs: number): number {
  return Math.max(leastMs, PAUSE_MS_EACH * certificates);
}
