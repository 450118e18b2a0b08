import type { Display } from './display.ts';
import { type Look, lookOf, widthOf } from './paint.ts';
import type { Story } from './story.ts';
import { frame, type Hints } from './table.ts';

/**
 * A table that is repainted in place, below what was printed before, and that stays in the scrollback in the end. Lines
 * that haven't changed aren't written again, so that text selected with the mouse stays selected.
 */
export class Screen implements Display {
  readonly #story: Story;
  readonly #out = process.stdout;
  #hints: Hints | undefined;
  #shown: readonly string[] = [];
  #look: Look;
  readonly #resized = () => {
    // The terminal has wrapped the lines anew in a way of its own: nobody knows any more where they are.
    this.#out.write('\x1b[2J\x1b[H');
    this.#shown = [];
    this.#look = lookOf(this.#out, process.env);
    this.tick();
  };
  readonly #showCursor = () => void this.#out.write('\x1b[?25h');

  constructor(story: Story) {
    this.#story = story;
    this.#look = lookOf(this.#out, process.env);
  }

  begin(command: readonly string[], logPath: string): void {
    this.#hints = { command, logPath };
    this.#look = lookOf(this.#out, process.env);
    this.#out.write('\x1b[?25l\n');
    process.once('exit', this.#showCursor);
    this.#out.on('resize', this.#resized);
    this.tick();
  }

  published(): void {
    this.tick();
  }

  tick(): void {
    if (this.#hints === undefined) return;
    const lines = fitting(frame(this.#story, this.#hints, this.#look), this.#look);
    this.#out.write(this.#update(lines));
    this.#shown = lines;
  }

  end(): void {
    if (this.#hints === undefined) return;
    this.tick();
    this.#hints = undefined;
    this.#out.off('resize', this.#resized);
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  #update(lines: readonly string[]): string {
    const heights = this.#shown.map((line) => heightOf(line, this.#look));
    const total = heights.reduce((sum, height) => sum + height, 0);
    const top = total > 0 ? `\r\x1b[${total}A` : '\r';
    const sameLayout =
      lines.length === heights.length && lines.every((line, index) => heightOf(line, this.#look) === heights[index]);
    if (!sameLayout) return `${top}\x1b[J${lines.map((line) => `${line}\r\n`).join('')}`;
    const changes = lines.map((line, index) =>
      line === this.#shown[index] ? `\x1b[${heights[index]}B` : `\x1b[2K${line}\r\n`,
    );
    // Ctrl-C leaves a ^C where the cursor is.
    return `${top}${changes.join('')}\r\x1b[2K`;
  }
}

/** A long command takes several rows: cut off, nobody could copy it. */
function heightOf(line: string, { columns }: Look): number {
  return Math.max(1, Math.ceil(widthOf(line) / columns));
}

/** Rows that have scrolled out at the top can't be repainted, so there mustn't be any. */
function fitting(lines: readonly string[], look: Look): readonly string[] {
  let left = look.rows - 1;
  const end = lines.findIndex((line) => {
    left -= heightOf(line, look);
    return left < 0;
  });
  return end < 0 ? lines : lines.slice(0, end);
}
