/**
 * How much of a processor's time this thread needs for some work, in milliseconds. Not how long it takes: that depends on
 * what else the machine does.
 */
export function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
