import type { BenchWorld } from './bench-world.ts';

const MUTATING = ['create', 'patch', 'delete'];

/** What a user has written so far, by resource and subresource, as the API server's audit log counts it. */
export async function writesOf(
  { cluster }: Pick<BenchWorld, 'cluster'>,
  user: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { user: by, verb, stage, objectRef } of await cluster.auditEvents()) {
    if (by.username !== user || stage !== 'ResponseComplete' || !MUTATING.includes(verb)) continue;
    const { resource = '', subresource } = objectRef ?? {};
    const what = subresource === undefined ? resource : `${resource}/${subresource}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}
