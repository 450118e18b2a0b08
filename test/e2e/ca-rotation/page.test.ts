/** docs/ca-rotation.md says what an operator sees at each state: the commands of the page, and what they print. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { commandFolder, runCommands } from '../support/commands.ts';
import { patchAuthority, patchCertificate } from '../support/edits.ts';
import { untilNextSecond } from '../support/moments.ts';
import {
  authorityStatusOf,
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { blocksInOrder, commandsWithOutput, timeless } from '../support/page.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

const PAGE = 'docs/ca-rotation.md';
const NAMESPACE = 'payments';
const NAME = 'payments-ca';
const CLIENTS = ['billing', 'refunds'] as const;
/** Long enough to be seen on a busy machine. */
const SEEN = '5s';
const PATIENCE_MS = 60_000;

// The page names a namespace, which other files that share a control plane could have too.
const scene = oneScene({ own: true, authority: false });
test.after(scene.stop);

/** Runs the blocks below these headings in their order; each output is what the command of the page comes to print. */
async function walk(world: World, ...headings: readonly string[]): Promise<void> {
  const [view] = blocksInOrder(PAGE, 'What you see at each state');
  const folder = commandFolder(world);
  const show = async () => timeless(await runCommands(world, `${view?.text}state`, folder));
  for (const { language, text } of headings.flatMap((each) => blocksInOrder(PAGE, each))) {
    if (language === 'sh') {
      await runCommands(world, text, folder);
      continue;
    }
    let last = '';
    const isShown = async () => {
      last = await show();
      return last === timeless(text);
    };
    await eventually('it is shown', isShown, PATIENCE_MS, 100).catch(() => assert.is(last, timeless(text)));
  }
}

async function printsAsShown(world: World, heading: string): Promise<void> {
  for (const { commands, output } of commandsWithOutput(PAGE, heading))
    assert.is(timeless(await runCommands(world, commands, commandFolder(world))), timeless(output));
}

/** Later than the second in which the present CA was made. */
async function prepare(world: World): Promise<void> {
  await world.cluster.kubectl(['create', 'namespace', NAMESPACE]);
  const caRotation = { mode: 'Manual', paused: true, propagation: SEEN, soak: SEEN, retireAfter: SEEN };
  const spec = { selfManaged: { commonName: 'Payments clients' }, caRotation };
  await createAuthority(world, selfManaged(NAMESPACE, NAME, spec));
  const authorityRef = { name: NAME };
  for (const name of CLIENTS) await create(world, clientCertificate(NAMESPACE, name, { authorityRef, duration: '3m' }));
  for (const name of CLIENTS) await untilReady(world, NAMESPACE, name);
  await untilNextSecond();
}

test('a CA rotation in mode Manual shows at each state what the page says', async () => {
  const { world } = await scene.get();
  await prepare(world);
  await walk(world, 'Pending', 'Prepared', 'Trusted');
  await printsAsShown(world, 'What you see');
  await walk(world, 'Active and Retiring', 'Retired');
  await printsAsShown(world, 'Events');
});

test('a CA that is rolled back shows what the page says', async () => {
  const { world } = await scene.get();
  const generations = async () => (await authorityStatusOf(world, NAMESPACE, NAME)).generations;
  await patchAuthority(world, NAMESPACE, NAME, {
    metadata: { annotations: { [ROTATE_CA_ANNOTATION]: new Date().toISOString() } },
    spec: { caRotation: { mode: 'Automatic', propagation: '1s', soak: '0s' } },
  });
  // Its certificate stays the one of the former CA, as the page shows.
  await patchCertificate(world, NAMESPACE, 'refunds', { spec: { suspend: true } });
  await eventually('generation 3 signs', async () => (await generations())?.[0]?.state === 'Active', PATIENCE_MS);
  await eventually('billing is re-issued', async () => {
    const secret = await readSecret(world, NAMESPACE, 'billing-tls');
    return secret?.annotations['certwheel.io/authority-generation'] === '3';
  });
  await patchCertificate(world, NAMESPACE, 'billing', { spec: { suspend: true } });
  await walk(world, 'RolledBack');
});

test.run();
