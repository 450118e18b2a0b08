import { listPlaces, placesOff } from '../expiry-order.ts';
import { type Rate, rotateAll, TO_DUE_MS } from '../rate.ts';
import { quantile } from '../statistics.ts';
import { type Fleet, startKnown } from './fleet.ts';

/** A share of the certificates falls due at once: the rate, and whether the first to expire come first. Then all fall due. */
export async function fallDue(fleet: Fleet): Promise<void> {
  const { world, options, rows } = fleet;
  const { controller } = await startKnown(fleet, 'bench-controller');
  const before = (await listPlaces(world.client)).sort((one, other) => one.dueMs - other.dueMs);
  const due = before.slice(0, options.share);
  const memory = async () => rows.add('resident memory afterwards', (await controller.state()).rssBytes / 1e6, 'MB');

  const advanceMs = Math.max(0, (due.at(-1)?.dueMs ?? 0) - Date.now());
  addRate(fleet, `${due.length} due at once`, await rotateAll(controller, due.length, advanceMs));
  await memory();
  const keys = new Set(due.map(({ key }) => key));
  const rotated = (await listPlaces(world.client)).filter(({ key }) => keys.has(key));
  // Namespaces take turns, so the order of expiry holds inside each of them.
  const byNamespace = Map.groupBy(rotated, ({ key }) => key.slice(0, key.indexOf('/')));
  const off = [...byNamespace.values()].flatMap((each) => placesOff(each, due));
  rows.add('places off the order of expiry in its namespace, p50', quantile(off, 0.5));
  rows.add('places off the order of expiry in its namespace, p99', quantile(off, 0.99));

  addRate(fleet, `all due at once, the first ${due.length}`, await rotateAll(controller, due.length, TO_DUE_MS));
  await memory();
  await controller.stop();
}

function addRate({ rows }: Fleet, what: string, { perSecond, cpuMs, loopDelayP99Ms }: Rate): void {
  rows.add(`${what}: rotations a second`, perSecond, '/s');
  rows.add(`${what}: CPU a rotation`, cpuMs, 'ms');
  rows.add(`${what}: event loop delay p99`, loopDelayP99Ms, 'ms');
}
