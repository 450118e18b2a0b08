import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ModuleName } from './catalog.ts';
import { moduleFolder } from './modules.ts';

/** The folder with the files of a published Go module, in the version that the go.mod of `name` pins. */
export async function moduleFiles(name: ModuleName, path: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', path], { cwd: moduleFolder(name) });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}
