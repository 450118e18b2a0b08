/** What a CRL costs: its bytes, the CPU time to write its entries once and to sign it, and the longest hold of the loop. */
import { randomBytes } from 'node:crypto';
import { type CrlRequest, revokedEntry, signCrl } from '../../../src/pki/crl.ts';
import { signerOf } from '../../../src/pki/signer.ts';
import { hoursFromNow, NOW, root } from '../../pki/make.ts';
import { median } from '../statistics.ts';

const RUNS = 9;
const COUNTS = [1_000, 20_000, 100_000];

export async function measureLists(): Promise<void> {
  const { certificate, key } = await root();
  const ca: CrlRequest['ca'] = { certificate, signer: signerOf(key) };
  console.log(`${''.padEnd(24)}   entries  signature      bytes`);
  for (const count of COUNTS) {
    const serials = Array.from({ length: count }, () => `4a${randomBytes(18).toString('hex')}`);
    const write = () => serials.map((serialNumber) => revokedEntry({ serialNumber, revokedAt: NOW, reasonCode: 1 }));
    const entries = write();
    const sign = () =>
      signCrl({ ca, number: 1n, thisUpdate: NOW, nextUpdate: hoursFromNow(168), entries, url: 'http://crl.example/1' });
    const [writing, signing] = [await cpuMs(async () => write()), await cpuMs(sign)];
    const figures = [`${writing.toFixed(1)} ms`.padStart(10), `${signing.toFixed(1)} ms`.padStart(10)];
    console.log(`${`${count} entries`.padEnd(24)}${figures.join(' ')} ${String((await sign()).length).padStart(10)}`);
  }
}

/** The median CPU time of the event loop. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    times.push((user + system) / 1000);
  }
  return median(times);
}
