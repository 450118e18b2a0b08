import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The shell commands below a heading of a page of docs/authorities, down to the next one of its level or above. */
export function commandsOf(page: string, heading: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../docs/authorities', `${page}.md`), 'utf8');
  const [, before = '', marks = ''] = new RegExp(`^([\\s\\S]*?\\n(#+) ${heading}\\n)`).exec(text) ?? [];
  const section = text.slice(before.length).split(new RegExp(`\\n#{2,${marks.length}} `))[0] ?? '';
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  if (before === '' || blocks.length === 0)
    throw new Error(`docs/authorities/${page}.md has no commands below ${heading}`);
  return blocks.join('\n');
}
