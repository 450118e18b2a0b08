import { Lines } from './lines.ts';
import { Screen } from './screen.ts';
import type { Publication, Story } from './story.ts';

export interface Display {
  /** The first certificates are there; from now on there is something to see. */
  begin(command: readonly string[], logPath: string): void;
  published(publication: Publication): void;
  /** Called a few times a second. */
  tick(): void;
  /** Shows the last state and gives the terminal back. */
  end(): void;
}

export function openDisplay(story: Story): Display {
  const canRepaint = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  return canRepaint ? new Screen(story) : new Lines(story);
}
