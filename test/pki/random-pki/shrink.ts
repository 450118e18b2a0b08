/**
 * Drops elements one by one as long as `fails` stays true, until none can be dropped. `fails` has to be true for the whole
 * list. Quadratic in its length.
 */
export async function shrink<T>(
  list: readonly T[],
  fails: (fewer: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let smallest = list;
  for (let index = smallest.length - 1; index >= 0; index -= 1) {
    const fewer = smallest.filter((_, at) => at !== index);
    if (!(await fails(fewer))) continue;
    smallest = fewer;
    // What was needed before may not be needed any more.
    index = smallest.length;
  }
  return smallest;
}
