import { Gauge } from 'prom-client';

export interface Series<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** A gauge that builds its series at each scrape: stored, those of 10,000 certificates would take 10 MB. */
export class SeriesGauge<Label extends string> extends Gauge<Label> {
  readonly #name: string;
  readonly #series: () => Iterable<Series<Label>>;

  /** `series` must iterate over a copy: other code runs between two lines of a scrape. */
  constructor(configuration: ConstructorParameters<typeof Gauge<Label>>[0], series: () => Iterable<Series<Label>>) {
    super(configuration);
    this.#name = configuration.name;
    this.#series = series;
  }

  override async get() {
    return { ...(await super.get()), values: [...this.#series()] };
  }

  /** Its lines, in the format of the registry. */
  *lines(): Generator<string> {
    for (const { labels, value } of this.#series()) {
      const pairs = Object.entries<string>(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
      yield `${this.#name}{${pairs.join(',')}} ${value}`;
    }
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
