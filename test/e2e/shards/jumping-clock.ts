/**
 * The controller with a wall clock that is an hour behind; SIGUSR2 sets it right, and back again. Its timers don't notice. It begins
 * behind, so that a CA that it makes is valid by both.
 */
const HOUR_MS = 3_600_000;
const RealDate = Date;
let behindMs = HOUR_MS;

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
