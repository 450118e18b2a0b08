import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { type DebianPackage, describePackage, librariesOf } from './debian.ts';
import { type Entry, file, folder } from './entries.ts';
import { NODE, USER_ID } from './settings.ts';

/** Everything below the controller: it changes with Node and the distribution, not with the source. */
export interface RuntimeFiles {
  readonly entries: readonly Entry[];
  readonly debian: readonly DebianPackage[];
}

export function runtimeFiles(root: string): RuntimeFiles {
  const node = join(root, 'node_modules/node/bin/node');
  const libraries = librariesOf(node);
  const debian = [...new Set(libraries.map((library) => library.package))].sort().map(describePackage);
  return {
    debian,
    entries: [
      file(NODE, readFileSync(node), 0o755),
      file('/usr/share/doc/node/LICENSE', readFileSync(nodeLicense(root))),
      // Under the loader's own names; links would only be one thing more that may not fit.
      ...libraries.map(({ path }) => file(path, readFileSync(path), 0o755)),
      ...debian.filter(({ copyrightPath }) => existsSync(copyrightPath)).map(copyright),
      // Mozilla's list, as Node brings it: the file of this machine may trust whom its owner trusts.
      file('/etc/ssl/certs/ca-certificates.crt', `${rootCertificates.join('\n')}\n`),
      file('/etc/passwd', `root:x:0:0:root:/:/sbin/nologin\n${account()}:Certwheel:/:/sbin/nologin\n`),
      file('/etc/group', `root:x:0:\ncertwheel:x:${USER_ID}:\n`),
      file('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
      folder('/tmp', 0o1777),
      // Mount points, for those who run it with a root filesystem that nothing can be added to.
      ...['/dev', '/proc', '/sys'].map((path) => folder(path)),
    ],
  };
}

function account(): string {
  return `certwheel:x:${USER_ID}:${USER_ID}`;
}

function copyright({ copyrightPath }: DebianPackage): Entry {
  return file(copyrightPath, readFileSync(copyrightPath));
}

/** In the package of the platform, which npm's package of Node installs inside itself. */
function nodeLicense(root: string): string {
  const path = join(root, `node_modules/node/node_modules/node-${process.platform}-${process.arch}/LICENSE`);
  if (existsSync(path)) return path;
  throw new Error(`${path}, the licence of Node, is missing (npm install removes it); run npm ci`);
}
