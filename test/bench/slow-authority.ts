/** A stand-in: no real CA can be told to be slow. The self-managed one, whose answer takes 5 s in the namespace `slow`. */
import type { BackendDefinition } from '../../src/backends/backend.ts';
import { BACKENDS } from '../../src/backends/index.ts';

const SLOW_MS = 5_000;

export const WITH_A_SLOW_ONE: readonly BackendDefinition<never>[] = (
  BACKENDS as readonly BackendDefinition<never>[]
).map((definition) => ({
  ...definition,
  capabilities: { ...definition.capabilities, remote: true },
  create: (spec, deps) => {
    const backend = definition.create(spec, deps);
    if (!deps.name.startsWith('slow/')) return backend;
    return {
      ...backend,
      issue: async (request, signal) => {
        await deps.clock.sleep(SLOW_MS, signal);
        return backend.issue(request, signal);
      },
    };
  },
}));
