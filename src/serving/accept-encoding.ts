/** `coding` or `coding;q=weight`, as RFC 9110, section 12.5.3, has it. */
const ITEM = /^([^\s;]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?$/i;

/** Whether an Accept-Encoding header accepts gzip at least as much as no compression. Items that can't be parsed are ignored. */
export function prefersGzip(header: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const item of (header ?? '').split(',')) {
    const [, coding, weight = '1'] = ITEM.exec(item.trim()) ?? [];
    if (coding !== undefined) weights.set(coding.toLowerCase(), Number(weight));
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}
