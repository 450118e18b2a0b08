import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { commandText, fileText } from '../support/page.ts';
import type { StepCa } from './servers/step-ca.ts';
import type { Place } from './subject.ts';

// docs/authorities/step-ca.md and its example, as tests follow them.

const PAGE = 'docs/authorities/step-ca.md';
const EXAMPLE = join(import.meta.dirname, '../../../examples/authorities/step-ca/authority.yaml');

/** The commands below a heading of the page. */
export const commandsOf = (heading: string) => commandText(PAGE, heading);

/** The template of certificates that the page gives to its provisioner. */
export const pageTemplate = () => fileText(PAGE, 'The provisioner', 'certwheel.tpl');

/** The headings of the page's other provisioners. */
export const X5C = 'A certificate in place of a key: X5C';
export const K8SSA = 'A ServiceAccount token: K8sSA';

/** The same of the provisioner of type K8sSA. */
export const pageTemplateOfK8sSA = () => fileText(PAGE, K8SSA, 'certwheel-k8s.tpl');

/** The commands below such a heading that are for kubectl, and those behind them that are for step. */
export function commandsByTool(heading: string): { readonly kubectl: string; readonly step: string } {
  const commands = commandsOf(heading);
  const at = commands.search(/^(?:step|cat >) /m);
  return { kubectl: commands.slice(0, at), step: commands.slice(at) };
}

/** Runs shell commands in the folder of a step-ca, as its STEPPATH; answers what they print. */
export async function shell(
  { folder }: Pick<StepCa, 'folder'>,
  commands: string,
  programs: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const PATH = [...programs.map((program) => dirname(program)), process.env.PATH].join(':');
  const env = { ...process.env, STEPPATH: folder, HOME: folder, ...environment, PATH };
  const running = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], { cwd: folder, env });
  // step asks for what it lacks, and would wait for an answer.
  running.child.stdin?.end();
  return (await running).stdout;
}

/** Runs commands of the page with kubectl, in the namespace of a test in place of the page's. */
export function follow(
  { world: { cluster }, namespace }: Place,
  ca: StepCa,
  commands: string,
  programs: readonly string[] = [],
): Promise<string> {
  const environment = { KUBECONFIG: cluster.kubeconfigPath };
  return shell(ca, commands.replaceAll('payments', namespace), [...programs, cluster.kubectlPath], environment);
}

/** The example with the address and the fingerprint of that step-ca, as the authority `ca`. */
export async function createExample({ world, namespace }: Place, ca: StepCa, fingerprint: string): Promise<void> {
  const { spec } = load(readFileSync(EXAMPLE, 'utf8')) as { spec: { stepCA: Record<string, unknown> } };
  const stepCA = { ...spec.stepCA, server: ca.url, rootFingerprints: [fingerprint] };
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { ...spec, stepCA },
  });
}
