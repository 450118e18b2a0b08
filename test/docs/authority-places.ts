import { isDeepStrictEqual } from 'node:util';
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { TRUST_BUNDLE_PERMISSION } from '../../src/backends/shared/trust-bundle.ts';
import { NEEDS } from '../runner/graph.ts';
import { file, line, list, matching, type Place, read, row } from './place.ts';

/** `stepCA` is `step-ca` wherever a file is named after it. */
export function fileNameOf(type: string): string {
  return type.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

/** What decides where a kind of authority must be named. */
export interface Traits extends Pick<BackendDefinition, 'type' | 'capabilities' | 'permissions'> {
  /** Whether its spec has a `server`, an address that the author of an authority chooses. */
  readonly hasServer: boolean;
}

/** Every place, besides src/backends/index.ts, that must name a kind of authority. Those that are generated are left out. */
export function placesOf(traits: Traits): Place[] {
  return [...schema(traits), ...chart(traits), ...docs(traits), ...suites(traits), ...tests(traits)];
}

/** Of the keys below `spec`. */
const BACKEND_INDENT = ' '.repeat(16);
const CRDS = ['crds/certificateauthorities.yaml', 'crds/clustercertificateauthorities.yaml'];

function schema({ type, capabilities }: Traits): Place[] {
  const limited = capabilities.rateLimit !== undefined;
  const rate = limited ? `${perSecond(capabilities)} for ${type}` : type;
  return CRDS.flatMap((crd) => [
    line(crd, `${BACKEND_INDENT}secret:`, `${BACKEND_INDENT}${type}:`, `${type}: {type: object, description: …, …}`),
    list(crd, /rule: "\[(.*?)\]\.filter\(given, given\)/, `has(self.${type})`),
    list(crd, /"exactly one backend must be set: (.*)"/, type),
    limited
      ? list(crd, /Without\s+it\s+a\s+default\s+holds:\s+([^;]*),\s+with\s+bursts/, type, rate)
      : list(crd, /with\s+bursts\s+of\s+twice\s+as\s+many;\s+for ([^.]*?) there\s+is\s+no\s+limit/, type),
  ]);
}

function chart({ type, permissions }: Traits): Place[] {
  const values = 'helm/certwheel/values.yaml';
  return [
    list(values, /^ {2}authorities:\s+\[([^\]]*)\]$/m, type),
    ...when(hasBundle(permissions), list(values, /trust bundles of ([^.]*)\./, type)),
  ];
}

function docs({ type, capabilities, permissions, hasServer }: Traits): Place[] {
  const { remote, persistKey, lifetime, rateLimit } = capabilities;
  const name = fileNameOf(type);
  const code = `\`${type}\``;
  const page = remote ? `docs/authorities/${name}.md` : 'docs/how-it-works.md';
  const how = 'docs/how-it-works.md';
  const notReady = 'docs/runbooks/CertwheelAuthorityNotReady.md';
  return [
    file(page, type, `describe ${type}: setup of the server, minimal permissions, limits, troubleshooting`),
    row(
      'README.md',
      '| `spec` | where certificates come from | verified against |',
      code,
      `| [${code}](${page}) | where certificates come from | the server and its version |`,
    ),
    row('docs/install.md', '| kind | rights |', code, `| ${code} | its rights in the Kubernetes API |`),
    row('docs/install.md', '| authority | egress to |', code, `| ${code} | its server and usual port, or nothing |`),
    ...when(hasBundle(permissions), list('docs/install.md', /every Secret and, with (.*), every ConfigMap/, code)),
    ...when(
      rateLimit,
      list(
        how,
        /default rate depends on its\s+kind: ([^;]*?),\s+and\s+twice/,
        code,
        `${perSecond(capabilities)} for ${code}`,
      ),
    ),
    ...when(persistKey, list(how, /Some authorities \(([^)]*)\)/, code)),
    ...when(lifetime === 'rounded', list(how, /\(([^(]*) may round/, code)),
    ...when(!remote, list(notReady, /If the CA is in a Secret \((.*?)\)/, code)),
    ...when(remote && hasServer, list(notReady, /If the authority is a server \((.*?)\)/, code)),
    ...when(remote && !hasServer, file(notReady, code, `add ${code} to the paragraph about its sort`)),
    file('docs/runbooks/CertwheelCAEnding.md', code, `add ${code} to the list of causes`),
    ...when(remote, list('docs/threat-model.md', /The CA behind ([^;]*?),\s+or an attacker/, code)),
    ...when(hasServer, list('docs/how-to/backup-and-restore.md', /credentials of\s+(.*?)\)/, code)),
  ];
}

/** Its own files. */
function suites({ type, capabilities: { remote } }: Traits): Place[] {
  const name = fileNameOf(type);
  const suite = `test/e2e/backends/${name}`;
  const example = `examples/authorities/${name}/authority.yaml`;
  const printed = matching(`test/e2e/backends/{,*/}${name}*.ts`).some((path) => /console\.log\(`# /.test(read(path)));
  const server = `test/e2e/backends/servers/${name}.ts`;
  return [
    file(
      `src/backends/${name}.ts`,
      `type: '${type}'`,
      `write: export const ${type}: BackendDefinition<…> = { type: '${type}', … };`,
    ),
    file(example, `\n  ${type}:`, `write an authority with spec.${type}`),
    file(`${suite}.test.ts`, 'conformance(', `write: conformance(${subjectOf(type)});`),
    ...when(remote, [
      file(`${suite}-wrong-answers.test.ts`, 'wrongAnswers({', `write: wrongAnswers({ definition: ${type}, … });`),
      {
        at: `${suite}-subject.ts`,
        add: `write: console.log(\`# <server> \${version}\`), where the server starts`,
        isThere: printed,
      },
      list('test/e2e/backends/outage.test.ts', /const SUBJECTS = \[([\s\S]*?)\];/, subjectOf(type)),
    ]),
    ...when(read(server) !== '', {
      at: 'test/runner/graph.ts',
      add: `add to NEEDS: ['${suite}', [the step that builds the server]],`,
      isThere: NEEDS.some(([path]) => path === suite),
    }),
  ];
}

/** Tests that list kinds of authority. */
function tests({ type, permissions, hasServer }: Traits): Place[] {
  const samples = 'test/e2e/crds/samples.ts';
  const rules = 'test/e2e/crds/rules-authority.ts';
  const entry = `${type}: …,`;
  return [
    list(samples, /const authoritySpec = ([\s\S]*?)\nconst selector/, `${type}:`, `{ ${type}: { every field } },`),
    list(rules, /const BACKEND =\s+'.*: (.*)'/, type),
    list(
      'test/e2e/attacks/example-authorities.test.ts',
      /const OTHER_CA([\s\S]*?\nconst logins = .*)/,
      type,
      `${type}: 'why its CA is not that of the API server',`,
    ),
    ...when(hasBundle(permissions), [
      list(rules, /\(\[(.*)\] as const\)\.map\(/, `'${type}'`),
      list(
        'test/chart/templates-rights.test.ts',
        /have a trust bundle[\s\S]*?assert\.equal\(found\.sort\(\), \[(.*)\]\)/,
        `'${type}'`,
      ),
    ]),
    ...when(hasServer, [
      list(rules, /\(\[(.*)\] as const\)\.flatMap\(/, `'${type}'`),
      ...[
        'src/backends/signals.test.ts',
        'src/backends/http/conceal-errors.test.ts',
        'test/e2e/attacks/ssrf.test.ts',
      ].map((path) => list(path, /const BACKENDS([\s\S]*?)\n\};/, `${type}:`, entry)),
    ]),
  ];
}

function subjectOf(type: string): string {
  return `${fileNameOf(type).replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase())}Subject`;
}

function hasBundle(permissions: Traits['permissions']): boolean {
  return permissions.some((each) => isDeepStrictEqual(each, TRUST_BUNDLE_PERMISSION));
}

function perSecond({ rateLimit }: Traits['capabilities']): number {
  return ((rateLimit?.requests ?? 0) * 1_000) / (rateLimit?.perMs ?? 1);
}

function when(applies: unknown, places: Place | readonly Place[]): readonly Place[] {
  return applies ? [places].flat() : [];
}
