/**
 * Max-min fairness: how much each of several demands may have at most, so that all have no more than `capacity` together, and
 * none has less for another that has more. Infinite where there is enough for all.
 */
export function fairLevel(demands: Iterable<number>, capacity: number): number {
  const sorted = [...demands].sort((one, other) => one - other);
  let left = capacity;
  for (const [index, demand] of sorted.entries()) {
    const level = left / (sorted.length - index);
    if (demand > level) return level;
    left -= demand;
  }
  return Number.POSITIVE_INFINITY;
}
