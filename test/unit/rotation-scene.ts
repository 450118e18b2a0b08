import type { Runtime } from '../../src/authority/runtime.ts';
import { type Backend, NO_TRUST } from '../../src/backends/backend.ts';
import type { CaPair } from '../../src/pki/ca.ts';
import type { Generation } from '../../src/rotation/generation.ts';
import type { Step } from '../../src/rotation/plan-types.ts';
import { aGeneration } from './a-generation.ts';
import { AuthorityWorld, another, authorityOf, stored } from './authority-world.ts';
import { after, DAY } from './builders.ts';

/** One that signs, and one that is to come. */
export const v1 = aGeneration(1, 'Active', stored, { since: after(-DAY) });
export const v2 = aGeneration(2, 'Prepared', another);

const elsewhere: Backend = {
  check: async () => {},
  trust: async () => NO_TRUST,
  issue: () => Promise.reject(new Error('nothing is issued here')),
};

/** An authority that has just been started, with these generations; `asked` is what its source was asked for. */
export function rotationScene(generations: readonly Generation[] = [], isOwn = true) {
  const world = new AuthorityWorld();
  const asked: [newest: CaPair | undefined, version: number][] = [];
  const keyPair = async (newest: CaPair | undefined, version: number) => {
    asked.push([newest, version]);
    return world.journal.read('read source', () => world.wanted);
  };
  const started = world.deps.start(authorityOf(world));
  const backend = isOwn ? { ...elsewhere, keyPair } : elsewhere;
  const definition = isOwn ? started.definition : { ...started.definition, type: 'stepCA' };
  const runtime: Runtime = { ...started, definition, generations, backend };
  for (const each of generations) world.generations.plant(each, [each.secret.uid]);
  return { world, asked, runtime, deps: world.deps };
}

/** As text: `move 2 Active`. */
export function stepText(step: Step): string {
  const version = 'generation' in step ? [step.generation.version] : [];
  const state = step.do === 'create' ? [step.state] : step.do === 'move' ? [step.to] : [];
  return [step.do, ...version, ...state].join(' ');
}
