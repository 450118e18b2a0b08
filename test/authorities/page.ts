import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The shell commands below a heading of a page of docs/authorities. */
export function commandsOf(page: string, heading: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../docs/authorities', `${page}.md`), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]?.split(/\n## /)[0] ?? '';
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  if (blocks.length === 0) throw new Error(`docs/authorities/${page}.md has no commands below ${heading}`);
  return blocks.join('\n');
}
