/**
 * Prints what a key store and a trust store cost: CPU milliseconds of the event loop, of the thread pool (with the garbage
 * collector's threads), and the longest time for which the loop was held. `make bench-keystores`
 */
import { randomBytes } from 'node:crypto';
import { KINDS, keyEntry, keyStore, trustStore } from '../pki/keystores/stores.ts';
import { root } from '../pki/make.ts';

const RUNS = 300;
const PASSWORD = randomBytes(16).toString('hex');

const entry = { ...(await keyEntry({ algorithm: 'ECDSA', size: 256 }, 1)), alias: 'certificate' };
const rsaEntry = { ...(await keyEntry({ algorithm: 'RSA', size: 2048 }, 1)), alias: 'certificate' };
const certificates = [(await root()).certificate.der, (await root()).certificate.der];

console.log(`${''.padEnd(44)}  loop   pool   held  bytes`);
for (const kind of KINDS) {
  await measure(`${kind}: key store, P-256, chain of 2`, () => keyStore(kind, entry, PASSWORD));
  await measure(`${kind}: key store, RSA 2048, chain of 2`, () => keyStore(kind, rsaEntry, PASSWORD));
  await measure(`${kind}: trust store, 2 certificates`, () => trustStore(kind, certificates, PASSWORD));
}

async function measure(what: string, make: () => Promise<{ bytes: Buffer }>): Promise<void> {
  for (let run = 0; run < RUNS / 5; run += 1) await make();
  const [all, loop] = [process.cpuUsage(), process.threadCpuUsage()];
  let size = 0;
  for (let run = 0; run < RUNS; run += 1) size = (await make()).bytes.length;
  const loopMs = milliseconds(process.threadCpuUsage(loop));
  const poolMs = milliseconds(process.cpuUsage(all)) - loopMs;
  const figures = [loopMs / RUNS, poolMs / RUNS, await held(make)].map((ms) => ms.toFixed(2).padStart(6));
  console.log(`${what.padEnd(43)} ${figures.join(' ')} ${String(size).padStart(6)}`);
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** The median of the longest turns of the event loop. */
async function held(make: () => Promise<unknown>): Promise<number> {
  const longest: number[] = [];
  for (let run = 0; run < RUNS / 3; run += 1) {
    let most = 0;
    let last = performance.now();
    let isOver = false;
    const turn = () => {
      const now = performance.now();
      most = Math.max(most, now - last);
      last = now;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await make();
    isOver = true;
    turn();
    longest.push(most);
  }
  return longest.sort((a, b) => a - b)[longest.length >> 1] ?? Number.NaN;
}
