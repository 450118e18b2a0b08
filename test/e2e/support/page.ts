import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** The shell commands below a heading of a page, down to the next heading of its level or above. */
export function commandText(page: string, heading: string): string {
  return blocksBelow(page, heading, 'sh').join('\n');
}

/** The same block by block, each with the block of output behind it. */
export function commandsWithOutput(page: string, heading: string): { commands: string; output: string }[] {
  const outputs = blocksBelow(page, heading, 'text');
  return blocksBelow(page, heading, 'sh').map((commands, at) => ({ commands, output: outputs[at] ?? '' }));
}

/** Two runs of the same commands differ in times, and the ends of lines can't be seen. */
export function timeless(output: string): string {
  return output.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME').replaceAll(/ +$/gm, '');
}

/** A block of code of a page: `sh` for commands, `text` for what is printed. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksBelow(page: string, heading: string, language: string): string[] {
  const blocks = blocksInOrder(page, heading).filter((each) => each.language === language);
  if (blocks.length === 0) throw new Error(`${page} has no block of ${language} below ${heading}`);
  return blocks.map(({ text }) => text);
}

/** All blocks below a heading, down to the next heading of its level or above. Throws where there is no such heading. */
export function blocksInOrder(page: string, heading: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const [, before = '', marks = ''] = new RegExp(`^([\\s\\S]*?\\n(#+) ${heading}\\n)`).exec(text) ?? [];
  const section = text.slice(before.length).split(new RegExp(`\\n#{2,${marks.length}} `))[0] ?? '';
  if (before === '') throw new Error(`${page} has no heading ${heading}`);
  return [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', block = '']) => ({
    language,
    text: block,
  }));
}

/** The file that commands below a heading write with `cat > NAME <<'END'`. */
export function fileText(page: string, heading: string, name: string): string {
  const [, before, rest = ''] = commandText(page, heading).split(new RegExp(`(^|\\n)cat > ${name} <<'END'\\n`));
  const [content = '', after] = rest.split(/^END$/m);
  if (before === undefined || after === undefined) throw new Error(`${page} writes no file ${name} below ${heading}`);
  return content;
}

/** The same one by one, where each is a line. */
export function commandsOf(page: string, heading: string): string[] {
  return commandText(page, heading)
    .split('\n')
    .filter((line) => line !== '');
}

/** All blocks of shell commands of a page. */
export function shellBlocks(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
}

/** Their simple commands: a continued line is one, each part of a pipe is one, and what a here-document holds is none. */
export function shellCommands(page: string): string[] {
  return shellBlocks(page)
    .flatMap((block) =>
      block
        .replaceAll(/\\\n\s*/g, '')
        .replaceAll(/^(.*<<'END'.*\n)[\s\S]*?^END$/gm, '$1')
        .split(/\n| \| /),
    )
    .map((command) => command.trim())
    .filter((command) => command !== '');
}
