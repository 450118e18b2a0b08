/** The controller with a wall clock that is set back an hour, and right again, by SIGUSR2. Its timers don't notice. */
const HOUR_MS = 3_600_000;
const RealDate = Date;
let behindMs = 0;

class JumpingDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(JumpingDate.now());
    else super(given[0]);
  }

  static override now(): number {
    return RealDate.now() - behindMs;
  }
}

globalThis.Date = JumpingDate as DateConstructor;
process.on('SIGUSR2', () => {
  behindMs = behindMs === 0 ? HOUR_MS : 0;
});
await import('../../../src/main.ts');
