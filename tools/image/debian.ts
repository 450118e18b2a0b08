import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';

/** A package of the distribution that a file of the image comes from. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly copyrightPath: string;
}

/** `path` is the one under which the loader looks for it. */
export interface Library {
  readonly path: string;
  readonly package: string;
}

/** The shared libraries that a program is linked with, the loader among them, and the packages that they are from. */
export function librariesOf(program: string): Library[] {
  const paths = parseLdd(run('ldd', [program]));
  return paths.map((path) => ({ path, package: ownerOf(path) }));
}

/** The paths in what ldd prints; the kernel's own library has none. */
export function parseLdd(output: string): string[] {
  const missing = /(\S+) => not found/.exec(output)?.[1];
  if (missing !== undefined)
    throw new Error(`${missing}, which Node is linked with, is not on this machine; install it`);
  return [...output.matchAll(/(\/\S+) \(0x[0-9a-f]+\)$/gm)].map(([, path = '']) => path).sort();
}

export function describePackage(name: string): DebianPackage {
  const [version = '', architecture = ''] = run('dpkg-query', [
    '-W',
    `-f=\${Version} \${Architecture}`,
    `${name}:${run('dpkg', ['--print-architecture']).trim()}`,
  ]).split(' ');
  return { name, version, architecture, copyrightPath: `/usr/share/doc/${name}/copyright` };
}

/** Such as `debian-12`. */
export function distribution(): string {
  const release = readFileSync('/etc/os-release', 'utf8');
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(release)?.[1] ?? 'unknown';
  return `${value('ID')}-${value('VERSION_ID')}`;
}

/** Where /lib is a link to /usr/lib, dpkg knows a file by one of its names only. */
function ownerOf(path: string): string {
  const target = realpathSync(path);
  const names = [target, target.replace(/^\/usr/, ''), path];
  for (const name of names) {
    try {
      return run('dpkg-query', ['-S', name]).split(':')[0] ?? '';
    } catch {}
  }
  throw new Error(`no Debian package owns ${path}, so nobody can tell its version; use the one of the distribution`);
}

function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`${program} is missing; the image is made on Debian or Ubuntu, whose libraries go into it`);
    throw error;
  }
}
