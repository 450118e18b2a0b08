/** A number in decimals, as some servers log serial numbers. */
const DECIMAL = /^0d([0-9]+)$/i;
const HEX = /^(?:0x)?([0-9a-f]+)$/i;
/** Twenty bytes in decimals have 49 digits. */
const LONGEST = 100;

/**
 * The serial numbers that a text may mean, as Certwheel writes them: lower-case hex of even length, without leading zero
 * bytes. It is hex, with colons or blanks between bytes, with `0x` or `serial=` before it, or decimal with `0d` before it.
 * `0d12` means two, since it is hex as well. None for what is no number.
 */
export function parseSerial(text: string): readonly string[] {
  const bare = text
    .trim()
    .replace(/^serial(?: ?number)?\s*[=:]\s*/i, '')
    .replace(/[:\s]/g, '');
  if (bare.length > LONGEST) return [];
  const decimal = DECIMAL.exec(bare)?.[1];
  const readings = [HEX.exec(bare)?.[1]?.toLowerCase(), decimal && BigInt(decimal).toString(16)];
  return readings.flatMap((digits) => (digits === undefined ? [] : [normal(digits)]));
}

function normal(digits: string): string {
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return even.replace(/^(00)+(?=..)/, '');
}
