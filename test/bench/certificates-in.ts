/** How many certificates a field of a Secret holds. */
export function casIn(base64 = ''): number {
  return Buffer.from(base64, 'base64').toString('latin1').match(/BEGIN/g)?.length ?? 0;
}
