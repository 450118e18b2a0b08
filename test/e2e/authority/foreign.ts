import type { RawObject } from '../../../src/api/parse.ts';
import { eventually } from '../support/eventually.ts';
import { authorityStatusOf, conditionOf } from '../support/objects.ts';
import { eventsOf } from '../support/recorded.ts';
import type { World } from '../support/world.ts';
import { certificatesOf } from './history.ts';

/** What the condition of the authority `ca` says of CA generations from outside, once it does. */
export function untilForeign(world: World, namespace: string, name: string): Promise<string> {
  return eventually(`the authority tells of ${name}`, async () => {
    const found = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'ForeignGeneration');
    return found?.status === 'True' && found.message.includes(`Secret ${namespace}/${name} `) && found.message;
  });
}

export function untilNoneForeign(world: World, namespace: string): Promise<boolean> {
  return eventually('the authority tells of no generation from outside', async () => {
    return conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'ForeignGeneration') === undefined;
  });
}

/** Waits for the Warning that tells of it. */
export function untilWarned(world: World, namespace: string, fingerprint: string): Promise<boolean> {
  return eventually('an event tells of it', async () =>
    (await eventsOf(world, namespace, 'ca')).some(
      ({ reason, note }) => reason === 'ForeignGeneration' && note.includes(fingerprint),
    ),
  );
}

/** Of the CA in the Secret of a generation. */
export function fingerprintIn({ data }: RawObject): string {
  const [ca] = certificatesOf(Buffer.from(data?.['tls.crt'] ?? '', 'base64').toString());
  return ca?.fingerprint256.replaceAll(':', '').toLowerCase() ?? '';
}
