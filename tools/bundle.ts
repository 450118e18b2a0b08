/**
 * Bundles the controller: it starts three times as fast as from its sources, and takes half the memory. What `import()`
 * loads later is in files of its own.
 */
import { readdir, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/**
 * Of the Kubernetes client only the kubeconfig is used, but its package doesn't say that its modules may be left out:
 * without this all of its generated API would be loaded at each start.
 */
const clientWithoutItsApi: Plugin = {
  name: 'client-without-its-api',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /.*/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === 'resolved' || !`${options.resolveDir}/${path}`.includes('@kubernetes/client-node'))
        return undefined;
      const found = await resolve(path, { ...options, pluginData: 'resolved' });
      return { ...found, sideEffects: false };
    });
  },
};

/** Of undici only connections are used; its fetch, caches and mocks would be a third of the bundle. */
const undiciWithoutFetch: Plugin = {
  name: 'undici-without-fetch',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ pluginData }) =>
      pluginData === 'part' ? undefined : { path: 'undici', namespace: 'slim' },
    );
    onLoad({ filter: /.*/, namespace: 'slim' }, () => ({
      contents: UNDICI_PARTS,
      resolveDir: ROOT,
      pluginData: 'part',
    }));
  },
};

// The package's own entry, which this stands in for, is where a dispatcher gets its methods from. Node's fetch is loaded
// when it is first asked for, and takes 4 MB; only a kubeconfig with a login does.
const UNDICI_PARTS = `
  import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
  import api from 'undici/lib/api/index.js';
  Object.assign(Dispatcher.prototype, api);
  export { default as Agent } from 'undici/lib/dispatcher/agent.js';
  export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js';
  export { default as Socks5ProxyAgent } from 'undici/lib/dispatcher/socks5-proxy-agent.js';
  export const fetch = (...request) => globalThis.fetch(...request);
`;

/**
 * Node's own modules, as CommonJS has them: an import statement reads every export, and so loads what most of them load
 * only when it is asked for (node:http: all of fetch and WebSocket, 4 MB).
 */
const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ kind, path }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

/** ES modules for Node 24, `outfile` and those that it loads, with their source maps beside them; answers what went into them. */
export async function bundle(entry: string, outfile: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    metafile: true,
    entryPoints: [entry],
    outdir: dirname(outfile),
    entryNames: basename(outfile, '.mjs'),
    // Beside it: the places in a source map are relative to its folder, and src/stack.ts knows that folder alone.
    chunkNames: `${basename(outfile, '.mjs')}-[hash]`,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // For src/stack.ts, which only asks for places.
    sourcemap: true,
    sourcesContent: false,
    // Node keeps the source in memory; its names stay for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    // ASCII alone is kept at one byte a character.
    charset: 'ascii',
    legalComments: 'linked',
    logLevel: 'error',
    plugins: [clientWithoutItsApi, undiciWithoutFetch, builtinsAsTheyAre],
    // Dependencies in CommonJS ask for require, which an ES module doesn't have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  await removeFormer(outfile, metafile);
  return metafile;
}

/** What former builds have left: the name of a part is that of its content. A process that runs may still load what is the same. */
async function removeFormer(outfile: string, { outputs }: Metafile): Promise<void> {
  const folder = dirname(outfile);
  const present = new Set(Object.keys(outputs).map((path) => basename(path)));
  const parts = new RegExp(`^${basename(outfile, '.mjs')}-\\w{8}\\.mjs`);
  const former = (await readdir(folder)).filter((name) => parts.test(name) && !present.has(name));
  await Promise.all(former.map((name) => rm(join(folder, name))));
}

if (import.meta.main) {
  await bundle(`${ROOT}/src/main.ts`, `${ROOT}/dist/certwheel.mjs`);
  await bundle(`${ROOT}/src/acme-responder/main.ts`, `${ROOT}/dist/acme-responder.mjs`);
  await bundle(`${ROOT}/src/responder/main.ts`, `${ROOT}/dist/responder.mjs`);
}
