import { EVENTS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import type { ControllerProcess } from './controller-process.ts';
import type { World } from './world.ts';

export interface StoredEvent extends RawObject {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid: string };
}

/** What was told of an object, the oldest first. */
export async function eventsOf({ client }: World, namespace: string, name: string): Promise<StoredEvent[]> {
  const { items } = await client.list<StoredEvent>(EVENTS, { namespace });
  return items.filter(({ regarding }) => regarding.name === name);
}

/** The audit lines for a ClientCertificate: one for each signature. */
export function signatures({ logs }: ControllerProcess, namespace: string, name: string): number {
  return logs.filter((line) => line.message === 'signing' && line.namespace === namespace && line.name === name).length;
}
