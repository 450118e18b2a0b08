import { createHash } from 'node:crypto';
import type { DebianPackage } from './debian.ts';
import type { NpmPackage } from './npm.ts';
import { imageArchitecture } from './oci.ts';
import { createdAt, type Source } from './source.ts';

/** What the image was made from. */
export interface Parts {
  readonly source: Source;
  /** Of the image's manifest. */
  readonly digest: string;
  readonly npm: readonly NpmPackage[];
  readonly debian: readonly DebianPackage[];
  /** Such as `debian-12`. */
  readonly distribution: string;
  /** Node's own, and what is linked into it. */
  readonly versions: Readonly<Record<string, string | undefined>>;
}

/** The copyright files of Debian name no SPDX identifiers. */
const DEBIAN_LICENSES: Readonly<Record<string, string>> = {
  libc6: 'LGPL-2.1-or-later',
  'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'libstdc++6': 'GPL-3.0-or-later WITH GCC-exception-3.1',
};

/** Numbers of interfaces and of data among process.versions. */
const NO_PROGRAMS: readonly string[] = ['node', 'modules', 'napi', 'unicode', 'cldr', 'tz'];

/** What is in the image, as CycloneDX 1.6 has it. The same parts give the same text. */
export function sbom(parts: Parts): string {
  const { source, digest, npm, debian } = parts;
  const app = `pkg:generic/${source.name}@${source.version}`;
  const node = `pkg:generic/node@${parts.versions.node}`;
  const image = `pkg:oci/${source.name}@${encodeURIComponent(digest)}?arch=${imageArchitecture()}&tag=${source.version}`;
  const debRef = (each: DebianPackage) => debianPurl(each, parts.distribution);
  const refs = new Map(npm.map((each) => [each.folder, npmPurl(each)]));
  const imported = (each: NpmPackage) => each.imports.flatMap((folder) => refs.get(folder) ?? []);
  return json({
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    version: 1,
    metadata: {
      timestamp: createdAt(source),
      component: {
        type: 'container',
        'bom-ref': image,
        name: source.name,
        version: source.version,
        hashes: [{ alg: 'SHA-256', content: digest.replace('sha256:', '') }],
        purl: image,
      },
    },
    components: [
      {
        type: 'application',
        'bom-ref': app,
        name: source.name,
        version: source.version,
        description: source.description,
        licenses: [{ license: { id: source.license } }],
        purl: app,
      },
      nodeComponent(node, parts.versions),
      ...debian.map((each) => ({
        type: 'library',
        'bom-ref': debRef(each),
        name: each.name,
        version: each.version,
        licenses: [debianLicense(each)],
        purl: debRef(each),
      })),
      ...npm.map(npmComponent),
    ],
    dependencies: [
      { ref: image, dependsOn: [app] },
      // The bundle holds all of them, whoever of them imports whom.
      { ref: app, dependsOn: [node, ...npm.map(npmPurl)] },
      { ref: node, dependsOn: debian.map(debRef) },
      ...debian.map((each) => ({ ref: debRef(each) })),
      ...npm.map((each) => ({ ref: npmPurl(each), dependsOn: imported(each) })),
    ],
  });
}

function nodeComponent(ref: string, versions: Parts['versions']) {
  const { node = '' } = versions;
  const within = Object.entries(versions).filter(([name, version]) => version && !NO_PROGRAMS.includes(name));
  return {
    type: 'platform',
    'bom-ref': ref,
    name: 'node',
    version: node,
    licenses: [{ license: { id: 'MIT' } }],
    cpe: `cpe:2.3:a:nodejs:node.js:${node}:*:*:*:*:*:*:*`,
    purl: ref,
    components: within.sort().map(([name, version = '']) => ({
      type: 'library',
      'bom-ref': `${ref}#${name}`,
      name,
      version,
      purl: `pkg:generic/${name}@${encodeURIComponent(version)}`,
    })),
  };
}

function npmComponent(each: NpmPackage) {
  const [alg, hash = ''] = each.integrity?.split('-') ?? [];
  const isExpression = / (OR|AND|WITH) /.test(each.license);
  return {
    type: 'library',
    'bom-ref': npmPurl(each),
    name: each.name,
    version: each.version,
    ...(alg === 'sha512' ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }] } : {}),
    licenses: [isExpression ? { expression: each.license } : { license: { id: each.license } }],
    purl: npmPurl(each),
  };
}

function debianLicense({ name, copyrightPath }: DebianPackage) {
  const expression = DEBIAN_LICENSES[name];
  return expression === undefined ? { license: { name: `as in ${copyrightPath}` } } : { expression };
}

function npmPurl({ name, version }: NpmPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
}

function debianPurl({ name, version, architecture }: DebianPackage, distribution: string): string {
  const [vendor] = distribution.split('-');
  const encoded = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':');
  return `pkg:deb/${vendor}/${encoded(name)}@${encoded(version)}?arch=${architecture}&distro=${distribution}`;
}

/** Version 8 is for numbers of one's own making. */
function uuidOf(digest: string): string {
  const hex = createHash('sha256').update(`certwheel sbom ${digest}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
