/**
 * What `make demo` runs: Certwheel at work on a control plane of its own, until Ctrl-C, or until each certificate was
 * rotated DEMO_ROTATIONS times.
 */
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { ensurePrograms } from '../programs/programs.ts';
import { openDisplay } from './display.ts';
import { interruption } from './interruption.ts';
import { CLIENTS, play, SERVER } from './play.ts';
import { step } from './progress.ts';
import { keepLogs } from './stage.ts';
import { Story } from './story.ts';
import { summary } from './summary.ts';
import { INTRO } from './words.ts';

const interrupted = interruption();
const rotations = readRotations(process.env.DEMO_ROTATIONS);
const story = new Story([SERVER, ...CLIENTS]);
const display = openDisplay(story);
const cleanup = new AsyncDisposableStack();
let cluster: ControlPlane | undefined;

console.log(`${INTRO.join('\n')}\n`);
const problem = await Promise.race([demo(), interrupted]).catch((error: Error) => error);
display.end();
if (problem !== undefined) console.log(`\nThe demo can't go on: ${problem.message}`);
const failed = problem !== undefined || story.handshakes.failed > 0;
const logs = failed && cluster !== undefined ? keepLogs(cluster) : undefined;
await cleanup.disposeAsync();

console.log();
for (const line of summary(story)) console.log(line);
if (logs !== undefined) console.log(`The logs of the controller and the control plane, kept for a day: ${logs}`);
if (problem !== undefined) console.log('Once that is mended, run the demo again: it always starts from nothing.');
else if (logs === undefined) console.log('Nothing is left behind.');
// A start that was interrupted still runs; its watchdog ends it together with us.
process.exit(failed ? 1 : 0);

async function demo(): Promise<undefined> {
  // Apart from the step below, since it shows its progress itself where it has to build.
  await ensurePrograms(['etcd', 'kube-apiserver', 'kubectl']);
  cluster = await step(
    'starting a Kubernetes control plane',
    startControlPlane,
    ({ url }) => `API server and etcd run at ${url}`,
  );
  cleanup.defer(() => cluster?.stop());
  await play({ cluster, story, display, rotations, cleanup });
}

function readRotations(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  console.error(`DEMO_ROTATIONS=${text} is no number of rotations; give one such as 3, or none to go on until Ctrl-C.`);
  return process.exit(1);
}
