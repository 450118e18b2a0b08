import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchWorld, Floor, MeasuredController } from './bench-world.ts';
import { median, spread } from './statistics.ts';

/** Half of the default life of 24 h, and a little: everything is due, nothing expires. */
export const TO_DUE_MS = 12.5 * 3_600_000;
const FLOOR_MAY_MOVE = 0.15;

export interface Rate {
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly loopDelayP99Ms: number;
}

/** Makes certificates due at once, all of them unless told otherwise, and measures until so many are rotated. */
export async function rotateAll(
  controller: MeasuredController,
  count: number,
  advanceMs: number = TO_DUE_MS,
): Promise<Rate> {
  const before = await controller.state();
  controller.advance(advanceMs);
  let startedMs: number | undefined;
  for (;;) {
    const state = await controller.state();
    // The queue notices a clock that was set forward within 5 s; that wait isn't a matter of the rate.
    if (state.rotations > before.rotations) startedMs ??= performance.now();
    if (state.rotations >= before.rotations + count) {
      const seconds = (performance.now() - (startedMs ?? 0)) / 1000;
      return {
        perSecond: count / seconds,
        cpuMs: (state.cpuMs - before.cpuMs) / count,
        loopDelayP99Ms: state.loopDelayP99Ms,
      };
    }
    await sleep(20);
  }
}

export async function untilIssued(controller: MeasuredController, count: number): Promise<void> {
  while ((await controller.state()).rotations < count) await sleep(100);
}

export interface RateFigures {
  readonly ratio: number;
  readonly ratioSpread: number;
  readonly perSecond: number;
  readonly floorPerSecond: number;
  /** Of every round of the floor writer, those of dropped repeats too. */
  readonly floorRates: readonly number[];
  readonly cpuMs: number;
  readonly cpuSpread: number;
}

/** Floor, controller, controller, floor: what the machine does meanwhile hits both alike. */
export async function compareWithFloor(
  controller: MeasuredController,
  floor: Floor,
  count: number,
  repeats: number,
): Promise<RateFigures> {
  const rounds: { ratio: number; rate: number; floor: number; cpuMs: number }[] = [];
  const floorRates: number[] = [];
  for (let tries = 0; rounds.length < repeats && tries < 2 * repeats; tries++) {
    const [first, one, other, last] = [
      await floor.round(),
      await rotateAll(controller, count),
      await rotateAll(controller, count),
      await floor.round(),
    ];
    const floors = [first.count / first.seconds, last.count / last.seconds];
    floorRates.push(...floors);
    const [low, high] = [Math.min(...floors), Math.max(...floors)];
    const lastChance = tries >= 2 * repeats - 1 - (repeats - rounds.length);
    if ((high - low) / high > FLOOR_MAY_MOVE && !lastChance) continue;
    const rate = (one.perSecond + other.perSecond) / 2;
    rounds.push({
      ratio: rate / ((low + high) / 2),
      rate,
      floor: (low + high) / 2,
      cpuMs: (one.cpuMs + other.cpuMs) / 2,
    });
  }
  const of = (field: keyof (typeof rounds)[number]) => rounds.map((round) => round[field]);
  return {
    ratio: median(of('ratio')),
    ratioSpread: spread(of('ratio')),
    perSecond: median(of('rate')),
    floorPerSecond: median(of('floor')),
    floorRates,
    cpuMs: median(of('cpuMs')),
    cpuSpread: spread(of('cpuMs')),
  };
}

/** Sequential names, padded so that they sort. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(5, '0')}`);
}

export type { BenchWorld };
