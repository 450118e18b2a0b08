/** `coding` or `coding;q=weight`, as RFC 9110, section 12.5.3, has it. */
const ITEM = /^([^\s;]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?$/i;

/** Whether the client takes gzip and doesn't like an uncompressed answer better. What can't be parsed is left out. */
export function prefersGzip(header: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const item of (header ?? '').split(',')) {
    const [, coding, weight = '1'] = ITEM.exec(item.trim()) ?? [];
    if (coding !== undefined) weights.set(coding.toLowerCase(), Number(weight));
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}
