import * as assert from 'uvu/assert';

/** Throws where one of these effects has no check of the lease of its own before it. */
export function assertLed(lines: readonly string[], isEffect: (line: string) => boolean): void {
  let isAsked = false;
  for (const [index, line] of lines.entries()) {
    if (line === 'leading') isAsked = true;
    if (!isEffect(line)) continue;
    assert.ok(isAsked, `${line} without a question who leads: ${lines.slice(0, index + 1).join(', ')}`);
    isAsked = false;
  }
}

/** Throws where `later` happened without an `earlier` since the last `later`. */
export function assertBefore(lines: readonly string[], earlier: string, later: string): void {
  const ends = lines.flatMap((line, index) => (line === later ? [index] : []));
  let from = 0;
  for (const end of ends) {
    assert.ok(lines.slice(from, end).includes(earlier), `${later} before ${earlier}: ${lines.join(', ')}`);
    from = end + 1;
  }
}
