import { execFileSync } from 'node:child_process';

/** What the dynamic loader would load for a program of this machine, the loader included: nothing for a static one. */
export function librariesOf(program: string): string[] {
  let output: string;
  try {
    output = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const complaint = String((error as { stderr?: string }).stderr ?? error);
    if (complaint.includes('not a dynamic executable')) return [];
    throw new Error(`ldd can't tell what ${program} needs: ${complaint.trim()}`);
  }
  const missing = /^\s*(\S+) => not found/m.exec(output)?.[1];
  if (missing !== undefined) throw new Error(`${program} needs ${missing}, which this machine hasn't got.`);
  // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and `/lib64/ld-linux-x86-64.so.2 (0x…)`.
  return [...output.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].flatMap(([, path]) => (path === undefined ? [] : [path]));
}
