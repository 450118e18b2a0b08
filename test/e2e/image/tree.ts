import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const PARTS = ['src', 'tools', 'LICENSE', 'package.json', 'package-lock.json', 'node_modules'];

/** A copy of the sources to build in, so that nothing of this checkout is touched, in a folder of any depth. */
export class Tree {
  readonly #top = mkdtempSync(join(tmpdir(), 'certwheel-image-'));
  readonly root: string;

  constructor(below: string) {
    this.root = join(this.#top, below);
    mkdirSync(dirname(this.root), { recursive: true });
    mkdirSync(this.root);
    for (const part of PARTS) {
      // node_modules is large: links to the same files where the file system can.
      const linked = spawnSync('cp', ['-al', join(ROOT, part), this.root]);
      if (linked.status !== 0) execFileSync('cp', ['-a', join(ROOT, part), this.root]);
    }
  }

  /** `make image-tar`, but for make; answers what it prints. `flags` are those of tools/image/main.ts. */
  build(env: Readonly<Record<string, string>>, umask = '022', ...flags: readonly string[]): string {
    const node = join(this.root, 'node_modules/node/bin/node');
    const main = join(this.root, 'tools/image/main.ts');
    const script = 'umask "$1" && shift && exec "$@"';
    return execFileSync('sh', ['-c', script, 'sh', umask, node, main, ...flags], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    });
  }

  dist(name: string): string {
    return join(this.root, 'dist', name);
  }

  remove(): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}
