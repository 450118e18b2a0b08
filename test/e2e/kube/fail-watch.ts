import type { Resource } from '../../../src/api/names.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import type { FaultProxy, Matcher } from './fault-proxy.ts';

export const AWAY = { kind: 'answer', status: 503 } as const;
export const ALWAYS = { times: Number.POSITIVE_INFINITY };

/**
 * From now on the controller behind the proxy hears of no change of the resource; resolves when it knows that, since until
 * then it goes by its cache. Answers what mends the watch.
 */
export async function failWatch(
  proxy: FaultProxy,
  controller: Pick<ControllerProcess, 'metrics'>,
  { plural }: Resource,
): Promise<() => void> {
  const isWatch: Matcher = ({ path, watch }) => watch && path.endsWith(`/${plural}`);
  const series = new RegExp(`^certwheel_watch_restarts\\{watch="${plural}",reason="serverError"\\} (\\d+)$`, 'm');
  const failures = async () => Number(series.exec(await controller.metrics())?.[1] ?? 0);
  const before = await failures();
  const mend = proxy.when(isWatch, AWAY, ALWAYS);
  for (const watch of proxy.watches(isWatch)) watch.cut();
  await eventually(`the controller knows that its watch of ${plural} fails`, async () => (await failures()) > before);
  return mend;
}
