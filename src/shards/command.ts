import { DEFAULT_SHARDS, MOST_SHARDS, rangeLeaseName } from '../api/shard-names.ts';
import { readFlags, toCount, toNamespace } from '../flag-values.ts';
import { StartError } from '../start-error.ts';
import { rangeOf } from './ranges.ts';

export const SHARD_USAGE = `certwheel shard NAMESPACE [--shards N] prints the Lease that names the owner of a namespace (${DEFAULT_SHARDS} shards without N).`;

/** The text that `certwheel shard` prints. Throws StartError. */
export function shardCommand(args: readonly string[]): string {
  const options = { shards: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { positionals, values } = readFlags({ args: [...args], options, allowPositionals: true }, SHARD_USAGE);
  if (values.help === true) return SHARD_USAGE;
  const [namespace, ...more] = positionals;
  if (namespace === undefined || more.length > 0) throw new StartError(SHARD_USAGE);
  const count = toCount('shards', values.shards ?? String(DEFAULT_SHARDS), 1, MOST_SHARDS);
  return rangeLeaseName(rangeOf(toNamespace('namespace', namespace), count));
}
