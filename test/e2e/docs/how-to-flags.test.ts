/** Every kubectl and helm flag of the how-to pages is one of which the program's own help tells. */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureProgram } from '../../programs/programs.ts';
import { shellCommands } from '../support/page.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGES = globSync('docs/how-to/*.md', { cwd: ROOT });

/** Subcommands that have a help of their own, with their flags. */
const NESTED: readonly string[] = ['create secret', 'rollout'];
/** Subcommands without further ones, whose flags aren't those of the verb. */
const WHOLE: readonly string[] = ['create configmap'];

interface Use {
  readonly program: 'kubectl' | 'helm';
  /** Such as `get`, `create secret generic`. */
  readonly verb: string;
  readonly flags: readonly string[];
  readonly command: string;
}

function uses(): Use[] {
  return PAGES.flatMap(shellCommands).flatMap((command) => {
    const [program = '', first = '', second = '', third = ''] = command.split(' ');
    if (program !== 'kubectl' && program !== 'helm') return [];
    const verb = [
      [first, second, third],
      [first, second],
    ].find((words) => NESTED.includes(words.slice(0, -1).join(' ')) || WHOLE.includes(words.join(' ')));
    // What is quoted isn't a flag of this program.
    const flags = command.replaceAll(/'[^']*'|"[^"]*"|\$\([^)]*\)/g, '').match(/ --?[a-z][\w-]*/g) ?? [];
    return [{ program, verb: verb?.join(' ') ?? first, flags: flags.map((flag) => flag.trim()), command }];
  });
}

test('kubectl and helm know every flag of the how-to pages', async () => {
  const help = new Map<string, string>();
  const print = async (program: Use['program'], args: readonly string[]) => {
    const key = [program, ...args].join(' ');
    const known = help.get(key) ?? (await promisify(execFile)(await ensureProgram(program), [...args])).stdout;
    help.set(key, known);
    return known;
  };
  const all = uses();
  assert.ok(all.length > 30);
  for (const { program, verb, flags, command } of all) {
    const text = `${await print(program, [...verb.split(' '), '--help'])}${program === 'kubectl' ? await print(program, ['options']) : ''}`;
    for (const flag of flags) assert.ok(isFlag(text, flag), `${flag} in: ${command}`);
  }
});

/** `-n, --namespace=''` of kubectl, `-n, --namespace string` of Helm. */
function isFlag(help: string, flag: string): boolean {
  return new RegExp(`^ +(-\\w, )?${flag}[ =,]|^ +${flag}, --`, 'm').test(help);
}

test('a flag that is not there is noticed', () => {
  const help = "    -n, --namespace='':\n  -f, --values strings   specify values\n";
  for (const flag of ['-n', '--namespace', '-f', '--values']) assert.ok(isFlag(help, flag), flag);
  for (const flag of ['-o', '--name', '--value']) assert.not(isFlag(help, flag), flag);
});

test.run();
