import type { Display } from './display.ts';
import type { Publication, Story } from './story.ts';
import { count, news, timeOfDay } from './words.ts';

const HANDSHAKES_EVERY_MS = 10_000;

/** For a log or a pipe: a line for each thing that happens, and the handshakes every ten seconds. */
export class Lines implements Display {
  readonly #story: Story;
  #countedAt = 0;
  #begun = false;

  constructor(story: Story) {
    this.#story = story;
  }

  begin(command: readonly string[], logPath: string): void {
    console.log(`  the controller's log: ${logPath}`);
    console.log(`  look for yourself: ${command.join(' ')}`);
    this.#countedAt = performance.now();
    this.#begun = true;
    for (const each of this.#story.publications) this.published(each);
  }

  published(publication: Publication): void {
    if (this.#begun) console.log(news(publication));
  }

  tick(): void {
    if (performance.now() - this.#countedAt < HANDSHAKES_EVERY_MS) return;
    this.#countedAt += HANDSHAKES_EVERY_MS;
    const { ok, failed } = this.#story.handshakes;
    const failure = failed === 0 ? '' : ` (the last: ${this.#story.lastFailure})`;
    console.log(`${timeOfDay(new Date())}  handshakes: ${count(ok)} ok, ${count(failed)} failed${failure}`);
  }

  end(): void {}
}
