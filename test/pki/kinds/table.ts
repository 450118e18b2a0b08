import { CHAINS, RENEWALS } from './chains.ts';
import { CONSTRAINTS } from './constraints.ts';
import { ENCODINGS } from './encodings.ts';
import { GO_TOOLS } from './go-tools.ts';
import { KEYS } from './keys.ts';
import type { Kind } from './kind.ts';
import { OTHER_TOOLS } from './other-tools.ts';
import { PASTED } from './pasted.ts';
import { ROOTS } from './roots.ts';

export interface Section {
  readonly title: string;
  readonly kinds: readonly Kind[];
}

/** All kinds of CA files whose verdict is known, in the order of the docs. */
export const SECTIONS: readonly Section[] = [
  { title: 'Self-signed CAs of openssl', kinds: ROOTS },
  { title: 'CAs of other tools', kinds: [...GO_TOOLS, ...OTHER_TOOLS] },
  { title: 'Keys', kinds: KEYS },
  { title: 'Intermediates and their roots', kinds: CHAINS },
  { title: 'Renewed, re-keyed and cross-signed CAs', kinds: RENEWALS },
  { title: 'What a CA allows below it', kinds: CONSTRAINTS },
  { title: 'Text and formats', kinds: PASTED },
  { title: 'Encodings', kinds: ENCODINGS },
];

export const KINDS: readonly Kind[] = SECTIONS.flatMap(({ kinds }) => kinds);

/** The table for docs/authorities/secret.md: one heading and one Markdown table per section. */
export function markdownOf(sections: readonly Section[]): string {
  return sections.map(({ title, kinds }) => `### ${title}\n\n${tableOf(kinds)}`).join('\n');
}

function tableOf(kinds: readonly Kind[]): string {
  const rows = kinds.map(({ kind, verdict, remedy = '' }) => `| ${cell(kind)} | ${verdict} | ${cell(remedy)} |`);
  return `${['| Kind of CA files | Verdict | What to do |', '| --- | --- | --- |', ...rows].join('\n')}\n`;
}

/** A bar would end the cell, even within backticks. */
function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|');
}
