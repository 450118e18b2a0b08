import { hash } from 'node:crypto';
import { type JudgedText, judgeText } from './sources.ts';

/** Has a text of so many bytes parsed when it is its turn. */
type Pace = <Result>(bytes: number, parse: () => Result) => Promise<Result>;

/** What a text says, or throws. */
type Answer = () => JudgedText;

/**
 * The PEM texts that the sources of one authority name. Each is parsed once until it changes: a reconcile comes for many other
 * reasons, such as a new label of the ConfigMap, and to parse a hundred certificates takes the event loop ten milliseconds.
 */
export class JudgedTexts {
  readonly #pace: Pace;
  #known: Map<string, Promise<Answer>> = new Map();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** To be called for each reconcile; what the last one did not ask for is forgotten. */
  pass(): (...text: Parameters<typeof judgeText>) => Promise<JudgedText> {
    const former = this.#known;
    const current: typeof former = new Map();
    this.#known = current;
    return async (place, pem, remedy) => {
      const id = `${hash('sha256', pem, 'base64url')} ${place}`;
      const answer = current.get(id) ?? former.get(id) ?? this.#pace(pem.length, () => answerOf(place, pem, remedy));
      current.set(id, answer);
      // One that did not get its turn is to be asked again.
      answer.catch(() => current.delete(id));
      return (await answer)();
    };
  }
}

function answerOf(...text: Parameters<typeof judgeText>): Answer {
  try {
    const judged = judgeText(...text);
    return () => judged;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
