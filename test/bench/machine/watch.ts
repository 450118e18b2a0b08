import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Computation, MachineFigures } from './figures.ts';
import { familyTicks, type ProcessorTicks, type ProcessTicks, parseProcessorTicks, parseProcessTicks } from './proc.ts';

const SIGNATURES = 4_000;
const BLOCKS = 300;
const BLOCK_BYTES = 1_000_000;
/** Of nearly all Linux systems (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

/** Watches the machine from now on. */
export class MachineWatch {
  readonly #computations: Computation[] = [];
  readonly #start = ticks();

  /** Runs the fixed computation; call it at the start, in the middle and at the end, when nothing else is measured. */
  compute(): void {
    this.#computations.push(computeOnce());
  }

  figures(floorRates: readonly number[] = []): MachineFigures {
    return { computations: this.#computations, floorRates, ...shares(this.#start, ticks()) };
  }
}

/** P-256 signatures and SHA-256 blocks, always as many, on this thread. */
function computeOnce(): Computation {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const block = Buffer.alloc(BLOCK_BYTES, 'certwheel');
  const startedMs = performance.now();
  const before = process.threadCpuUsage();
  for (let count = 0; count < SIGNATURES; count += 1) sign('sha256', block.subarray(0, 256), privateKey);
  const hash = createHash('sha256');
  for (let count = 0; count < BLOCKS; count += 1) hash.update(block);
  hash.digest();
  const { user, system } = process.threadCpuUsage(before);
  return { ms: performance.now() - startedMs, cpuMs: (user + system) / 1_000 };
}

/** CPU of one process so far, without its children. */
export function cpuMsOf(pid: number): number {
  return (parseProcessTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')).own * 1_000) / TICKS_PER_SECOND;
}

interface Ticks extends ProcessorTicks {
  /** Of this process and of all that it has started. */
  readonly ours: number;
}

function shares(from: Ticks | undefined, to: Ticks | undefined): Pick<MachineFigures, 'stolen' | 'others'> {
  if (from === undefined || to === undefined) return { stolen: undefined, others: undefined };
  const all = Math.max(1, to.all - from.all);
  const others = to.worked - from.worked - (to.ours - from.ours);
  return { stolen: (to.stolen - from.stolen) / all, others: Math.max(0, others) / all };
}

function ticks(): Ticks | undefined {
  if (!existsSync('/proc/stat')) return undefined;
  return {
    ...parseProcessorTicks(readFileSync('/proc/stat', 'utf8')),
    ours: familyTicks(process.pid, processes()),
  };
}

function processes(): Map<number, ProcessTicks> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(
    pids.flatMap((pid) => {
      try {
        return [[Number(pid), parseProcessTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'))]];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    }),
  );
}
