/** What is known of the machine of a run, and whether its figures are worth quoting. Pure. */
import { median, spread } from '../statistics.ts';

/** One run of the fixed computation. */
export interface Computation {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface MachineFigures {
  /** At the start, in the middle and at the end. */
  readonly computations: readonly Computation[];
  /** Rounds of the floor writer, in rotations a second; none where a bench doesn't run it. */
  readonly floorRates: readonly number[];
  /** Of the time of all processors: what the hypervisor took. Undefined without /proc. */
  readonly stolen: number | undefined;
  /** Of the time of all processors: programs that the bench didn't start. Undefined without /proc. */
  readonly others: number | undefined;
}

/** Half the range, as a share of the median: of the computation, and of the rounds of the floor writer. */
const MAY_DIFFER = 0.1;
const MAY_BE_STOLEN = 0.01;
const MAY_BE_OTHERS = 0.05;
/** With fewer rounds nothing is known of their spread. */
const FLOOR_ROUNDS = 4;

/** Why the figures of a run should not be quoted; none if they should. */
export function reasonsNotToQuote({ computations, floorRates, stolen, others }: MachineFigures): string[] {
  const reasons: string[] = [];
  const differ = spread(computations.map(({ ms }) => ms));
  if (computations.length < 3) reasons.push(`the fixed computation ran ${computations.length} times, not 3 times`);
  else if (differ > MAY_DIFFER) reasons.push(`the speed of the machine changed by ±${percent(differ)}`);
  if (floorRates.length > 0 && floorRates.length < FLOOR_ROUNDS)
    reasons.push(`the floor writer ran ${floorRates.length} rounds, fewer than ${FLOOR_ROUNDS}`);
  else if (floorRates.length > 0 && spread(floorRates) > MAY_DIFFER)
    reasons.push(`the rate of the floor writer changed by ±${percent(spread(floorRates))}`);
  if (stolen === undefined || others === undefined) reasons.push('the load of the machine is unknown without /proc');
  else {
    if (stolen > MAY_BE_STOLEN) reasons.push(`the hypervisor took ${percent(stolen)} of the processors' time`);
    if (others > MAY_BE_OTHERS) reasons.push(`other programs took ${percent(others)} of the processors' time`);
  }
  return reasons;
}

/** The lines below the table: the machine's own speed, then the judgement. */
export function describeMachine(figures: MachineFigures): string {
  const { computations, floorRates, stolen, others } = figures;
  const reasons = reasonsNotToQuote(figures);
  const floor =
    floorRates.length === 0
      ? []
      : [
          `floor writer: ${median(floorRates).toFixed(0)} rotations/s ±${percent(spread(floorRates))} (${floorRates.map((rate) => rate.toFixed(0)).join(', ')})`,
        ];
  return [
    `fixed computation: ${computations.map(({ ms }) => ms.toFixed(0)).join(', ')} ms (CPU ${computations.map(({ cpuMs }) => cpuMs.toFixed(0)).join(', ')} ms)`,
    ...floor,
    `processors: ${share(stolen)} stolen by the hypervisor, ${share(others)} used by other programs`,
    reasons.length === 0
      ? 'This run is worth quoting.'
      : `This run is not worth quoting, since ${reasons.join(', and ')}.`,
  ].join('\n');
}

function share(value: number | undefined): string {
  return value === undefined ? 'an unknown share' : percent(value);
}

function percent(value: number): string {
  const points = 100 * value;
  return `${points.toFixed(points < 10 ? 1 : 0)} %`;
}
