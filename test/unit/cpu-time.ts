/**
 * Starts to count the milliseconds of processor time that this process spends, and answers how many it has spent so far:
 * on a busy machine a moment later says nothing of the work that was done.
 */
export function cpuTime(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
  };
}
