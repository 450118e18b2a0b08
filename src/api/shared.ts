/** Longer values are rarely the same, and would be dear to remember. */
const LONGEST = 1_024;
const MOST = 1_024;

const known = new Map<string, unknown>();

/**
 * The one instance that stands for all equal values: thousands of objects are made from a few templates, and what they
 * have in common would fill most of a cache. For flat values of JSON; they can't be changed any more.
 */
export function shared<T>(value: T): T {
  if (value === undefined) return value;
  const text = JSON.stringify(value);
  if (text.length > LONGEST) return value;
  const first = known.get(text);
  if (first !== undefined) return first as T;
  if (known.size >= MOST) known.clear();
  known.set(text, Object.freeze(value));
  return value;
}
