/** The earliest of those that there are. */
export function earliest(moments: readonly (Date | undefined)[]): Date | undefined {
  return moments.reduce(
    (first, each) => (first === undefined || (each !== undefined && each < first) ? each : first),
    undefined,
  );
}
