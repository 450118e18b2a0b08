interface Waiter {
  readonly key: string;
  readonly deadline: number | undefined;
  readonly arrival: number;
  /** When the key was called last. */
  calledAt: number | undefined;
}

interface Space {
  turn: number;
  dueIsNext: boolean;
}

/** How long a place is kept for a key that was called. */
const KEPT_MS = 1_000;

/** A model of a turnstile: finds the next key by serving all waiting keys in a copy. */
export class TurnstileModel {
  readonly waiting = new Map<string, Waiter>();
  readonly #spaces = new Map<string, Space>();
  #arrivals = 0;
  #turns = 0;

  arrives(key: string, deadline: number | undefined): void {
    const arrival = this.waiting.get(key)?.arrival ?? ++this.#arrivals;
    this.waiting.set(key, { key, deadline, arrival, calledAt: undefined });
    if (!this.#spaces.has(spaceOf(key))) this.#spaces.set(spaceOf(key), { turn: ++this.#turns, dueIsNext: false });
  }

  enters(key: string): void {
    this.#serve(key, this.waiting, this.#spaces);
    if (![...this.waiting.keys()].some((each) => spaceOf(each) === spaceOf(key))) this.#spaces.delete(spaceOf(key));
  }

  called(key: string, nowMs: number): void {
    const waiter = this.waiting.get(key);
    if (waiter !== undefined) waiter.calledAt = nowMs;
  }

  /** The keys that claim a place, in the order in which they are served. */
  order(nowMs: number): string[] {
    const waiting = new Map([...this.waiting].filter(([, { calledAt }]) => !isLate(calledAt, nowMs)));
    const spaces = new Map([...this.#spaces].map(([name, space]) => [name, { ...space }]));
    const order: string[] = [];
    while (waiting.size > 0) {
      const waits = new Set([...waiting.keys()].map(spaceOf));
      const [[name, { dueIsNext }] = ['', { dueIsNext: false }]] = [...spaces]
        .filter(([each]) => waits.has(each))
        .sort(([, one], [, other]) => one.turn - other.turn);
      const own = [...waiting.values()].filter(({ key }) => spaceOf(key) === name);
      const due = own.filter(({ deadline }) => deadline !== undefined);
      const fresh = own.filter(({ deadline }) => deadline === undefined);
      due.sort((one, other) => (one.deadline ?? 0) - (other.deadline ?? 0) || one.arrival - other.arrival);
      fresh.sort((one, other) => one.arrival - other.arrival);
      const [next] = due.length > 0 && (dueIsNext || fresh.length === 0) ? due : fresh;
      order.push(next?.key ?? '');
      this.#serve(next?.key ?? '', waiting, spaces);
    }
    return order;
  }

  #serve(key: string, waiting: Map<string, Waiter>, spaces: Map<string, Space>): void {
    const space = spaces.get(spaceOf(key));
    if (space !== undefined) {
      space.turn = ++this.#turns;
      space.dueIsNext = waiting.get(key)?.deadline === undefined;
    }
    waiting.delete(key);
  }
}

function spaceOf(key: string): string {
  return key.split('/')[0] ?? '';
}

function isLate(calledAt: number | undefined, nowMs: number): boolean {
  return calledAt !== undefined && nowMs - calledAt >= KEPT_MS;
}
