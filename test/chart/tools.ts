import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePrograms } from '../cluster/binaries.ts';
import { cacheFolderFor, type GoModule } from '../cluster/go-module.ts';

const PACKAGES = {
  helm: 'helm.sh/helm/v3/cmd/helm',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform',
  'kube-score': 'github.com/zegl/kube-score/cmd/kube-score',
} as const;

export type ToolName = keyof typeof PACKAGES;

const VERSION_ARGUMENTS: Readonly<Record<ToolName, readonly string[]>> = {
  helm: ['version', '--short'],
  kubeconform: ['-v'],
  'kube-score': ['version'],
};
const DURATIONS: Readonly<Record<ToolName, string>> = {
  helm: '3 minutes',
  kubeconform: '15 s',
  'kube-score': '1 minute',
};
const ENVIRONMENT = { CGO_ENABLED: '0', GOWORK: 'off', GOOS: '', GOARCH: '' };

/** A plain `go build` leaves Helm believing that the cluster which it renders for is of version 1.20. */
const STAMPS: Readonly<Partial<Record<ToolName, Readonly<Record<string, string>>>>> = {
  helm: {
    'helm.sh/helm/v3/internal/version.version': 'v3.22.0',
    'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
    'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '36',
    'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor': '1',
    'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': '36',
  },
};

function flagsOf(tool: ToolName): readonly string[] {
  const setters = Object.entries(STAMPS[tool] ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  return ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...setters].join(' ')];
}

/** A module for each, since each wants Kubernetes' libraries in another version. */
function moduleOf(tool: ToolName): GoModule<ToolName> {
  const folder = join(import.meta.dirname, 'tools', tool);
  return {
    title: tool,
    duration: `${DURATIONS[tool]} on two cores`,
    folder,
    cacheFolder: cacheFolderFor(tool, folder, [PACKAGES[tool], flagsOf(tool), ENVIRONMENT]),
    environment: ENVIRONMENT,
    otherwise: `or set KUBEBUILDER_ASSETS to a folder that holds ${tool}`,
    buildArguments: (program, output) => ['build', ...flagsOf(program), '-o', output, PACKAGES[program]],
    versionArguments: (program) => VERSION_ARGUMENTS[program],
  };
}

/** The path of a tool, which is built the first time. */
export async function ensureTool(tool: ToolName): Promise<string> {
  return (await ensurePrograms(moduleOf(tool), [tool]))[tool];
}

/** Builds what isn't there yet, one after the other: each build takes all cores. */
export async function ensureTools(): Promise<Readonly<Record<ToolName, string>>> {
  const helm = await ensureTool('helm');
  const kubeconform = await ensureTool('kubeconform');
  return { helm, kubeconform, 'kube-score': await ensureTool('kube-score') };
}

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool to its end; a code other than 0 is an answer, not an error. */
export async function runTool(
  tool: ToolName,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<ToolResult> {
  const running = promisify(execFile)(await ensureTool(tool), [...args], {
    env: { ...process.env, ...options.env },
    maxBuffer: 64 * 1024 * 1024,
  });
  running.child.stdin?.on('error', () => {});
  running.child.stdin?.end(options.input ?? '');
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code?: unknown; stdout?: string; stderr?: string; message: string }) => ({
      code: typeof error.code === 'number' ? error.code : -1,
      stdout: error.stdout ?? '',
      stderr: error.stderr || error.message,
    }),
  );
}

if (import.meta.main) for (const path of Object.values(await ensureTools())) console.log(path);
