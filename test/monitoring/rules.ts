import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

export const RULES_FILE = join(import.meta.dirname, '../../helm/certwheel/alerts/certwheel.rules.yaml');

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The rules of the chart, as they stand in its file; one alert may have several. */
export function alertRules(): readonly AlertRule[] {
  const file = load(readFileSync(RULES_FILE, 'utf8')) as { groups: readonly { rules: readonly AlertRule[] }[] };
  return file.groups.flatMap(({ rules }) => rules);
}

export function alertNames(): ReadonlySet<string> {
  return new Set(alertRules().map(({ alert }) => alert));
}
