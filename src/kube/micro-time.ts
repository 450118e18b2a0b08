/** The API's MicroTime: exactly six fraction digits, or the API server answers 400. */
export function microTime(moment: Date): string {
  return moment.toISOString().replace('Z', '000Z');
}
