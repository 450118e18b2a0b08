import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pkcs11 as definition } from '../../../src/backends/pkcs11.ts';
import { FORGERIES, ODDITIES } from '../../forgeries/forgeries.ts';
import { onStop } from '../../teardown.ts';
import { renewAt } from '../support/edits.ts';
import { create } from '../support/objects.ts';
import { faultsOfHistory } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';
import { ForgedAnswers, type Stage } from './forged-answers.ts';
import { LIES, type Lie, type LyingAddon, lyingAddon } from './lying-token.ts';
import { pkcs11Spec, putCertificate, putPin } from './pkcs11-subject.ts';
import { createAuthority, place, untilAuthority } from './place.ts';
import { type RecordedScene, untilIssued, wanted } from './recorded-scene.ts';
import { startSoftHsm, type TokenAccess } from './servers/pkcs11.ts';
import type { Place } from './subject.ts';
import { type Row, wrongAnswers } from './wrong-answers.ts';

const TOKEN: TokenAccess = { token: 'lying', pin: '4711-pin' };
const IMPOSSIBLE = 'Certwheel makes the certificate, and a token only signs it';

const worlds = oneWorld();
test.after(worlds.stop);

/** The addon of the stage, and the keys by the namespace of their authority. */
let addon: LyingAddon | undefined;
const keys = new Map<string, string>();

async function stage(): Promise<Stage> {
  const hsm = await startSoftHsm(`*/${TOKEN.token}`);
  await hsm.addToken(TOKEN.token, TOKEN.pin);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-lying-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  addon = lyingAddon(hsm.addon, folder);
  const world = await worlds.get();
  // The last of two is the one that counts.
  const controller = await world.controller([...hsm.flags, '--pkcs11-addon', folder]);
  let made = 0;
  return {
    world,
    controller,
    forged: new ForgedAnswers(),
    place: async () => {
      const where = await place(world);
      const label = `row-${++made}`;
      keys.set(where.namespace, label);
      await hsm.addKey(TOKEN, { label, id: Buffer.from(label).toString('hex') });
      const uri = `pkcs11:token=${TOKEN.token};object=${label}`;
      await putCertificate(where, await hsm.selfSign(uri, TOKEN.pin, `/CN=Lying ${label}`));
      await putPin(where, TOKEN.pin);
      await createAuthority(where, 'pkcs11', pkcs11Spec(uri));
      await untilAuthority(where);
      return where;
    },
    stop: async () => {},
  };
}

/** A lie is told of by the authority, reaches no Secret, and is over when the truth is told again. */
async function lied(at: number, where: RecordedScene, lie: Lie | 'it ends the process', says: Says): Promise<void> {
  const here: Place = await where.place();
  const { world, namespace } = here;
  const label = keys.get(namespace) ?? '';
  const [held, fresh] = [`held-${at}`, `fresh-${at}`];
  await create(world, wanted(here, held));
  await untilIssued(where, held, 1);

  addon?.tell(label, lie);
  await renewAt(world, namespace, held);
  await create(world, wanted(here, fresh));
  await untilAuthority(here, { status: 'False', ...says });
  assert.is(where.secrets.versions(`${held}-tls`).length, 1);
  assert.equal(where.secrets.versions(`${fresh}-tls`), []);

  addon?.tellTheTruth(label);
  await untilIssued(where, held, 2);
  await untilIssued(where, fresh, 1);
  await untilAuthority(here);
  for (const name of [held, fresh]) assert.equal(faultsOfHistory(where.secrets.versions(`${name}-tls`)), []);
}

interface Says {
  readonly reason: string;
  readonly says: string;
}

const OTHER_KEY: Says = { reason: 'CAPairRefused', says: 'is not that of the CA certificate CN=Lying row-' };
const NO_SIGNATURE = (bytes: number): Says => ({
  reason: 'InvalidAnswer',
  says: `the token gave an ECDSA signature of ${bytes} bytes`,
});
const SAYS: Readonly<Partial<Record<Lie, Says>>> = {
  'no bytes at all': NO_SIGNATURE(0),
  'an odd number of bytes': NO_SIGNATURE(63),
};

const row = (name: Lie | 'it ends the process', says: Says): Row => ({
  name,
  verdict: 'reaches no Secret',
  play: (at, where) => lied(at, where, name, says),
});

wrongAnswers({
  definition,
  impossible: Object.fromEntries(
    [...Object.keys(FORGERIES), ...Object.keys(ODDITIES)].map((name) => [name, IMPOSSIBLE]),
  ),
  more: [
    ...(Object.keys(LIES) as Lie[]).map((lie) => row(lie, SAYS[lie] ?? OTHER_KEY)),
    row('it ends the process', {
      reason: 'AuthorityUnavailable',
      says: 'the process of the PKCS#11 library ended (SIGABRT)',
    }),
  ],
  stage,
});

test.run();
