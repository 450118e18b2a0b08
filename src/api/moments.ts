/** The earliest of those that there are. */
export function earliest(moments: readonly (Date | undefined)[]): Date | undefined {
  return moments.reduce(
    (first, each) => (first === undefined || (each !== undefined && each < first) ? each : first),
    undefined,
  );
}

/** The latest of them, which may be more than a call takes arguments. */
export function latest(moments: readonly Date[]): Date | undefined {
  return moments.reduce<Date | undefined>((last, each) => (last === undefined || each > last ? each : last), undefined);
}

/** For what is shown in whole seconds, and must not be shown before it is done. */
export function wholeSecondsUp(moment: Date): Date {
  return new Date(Math.ceil(moment.getTime() / 1_000) * 1_000);
}

/** Until 2038 V8 keeps such a number in the place of a pointer, and any other in a box of its own. */
const LONGEST_UNBOXED = 2 ** 31 - 1;

/** Whole seconds since the epoch, as little memory as a moment can take. */
export function toSeconds(moment: Date): number {
  const seconds = Math.floor(moment.getTime() / 1000);
  return Math.abs(seconds) <= LONGEST_UNBOXED ? seconds | 0 : seconds;
}

export function fromSeconds(seconds: number): Date {
  return new Date(seconds * 1000);
}

/** The same for a moment of a status. */
export function secondsOf(moment: string | undefined): number | undefined {
  return moment === undefined ? undefined : toSeconds(new Date(moment));
}
