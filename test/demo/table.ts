import { bar, legend } from './bar.ts';
import { type Look, paint } from './paint.ts';
import { type CertificateStory, remainingMs, type Story } from './story.ts';
import { count, news, quoted, seconds, short, stopwatch } from './words.ts';

/** What has just happened is to be noticed. */
const FRESH_MS = 4_000;
/** What a row takes besides the bar and the reason. */
const FIXED_WIDTH = 53;
const REASON_WIDTH = 14;
/** The lines of the start above the table, and the table itself. */
const OTHER_ROWS = 22;

export interface Hints {
  readonly command: readonly string[];
  readonly logPath: string;
}

/** The lines of the table and of what stands below it, as they are at this moment. */
export function frame(story: Story, hints: Hints, look: Look): string[] {
  const now = new Date();
  const barWidth = Math.min(30, look.columns - FIXED_WIDTH - REASON_WIDTH);
  return [
    header(barWidth, look),
    ...story.certificates.map((certificate) => row(certificate, story, barWidth, now, look)),
    legend(look),
    '',
    tally(story, look),
    ...(story.handshakes.failed === 0
      ? []
      : [`  ${paint(look, 'red', `the last failure: ${story.lastFailure}`.slice(0, look.columns - 3))}`]),
    '',
    ...invitation(hints, look),
    '',
    ...story.publications
      .slice(-Math.max(2, Math.min(9, look.rows - OTHER_ROWS)))
      .reverse()
      .map((each) => {
        const line = `  ${news(each)}`.slice(0, look.columns - 1);
        return isFresh(each.at, now) ? line : paint(look, 'dim', line);
      }),
  ];
}

function header(barWidth: number, look: Look): string {
  const expires = 'EXPIRES IN'.padEnd(Math.max(0, barWidth) + 5);
  const text = `  ${'NAME'.padEnd(10)}${'SERIAL'.padEnd(10)}ROTATIONS  ${expires}  RENEWAL IN  LAST REASON`;
  return paint(look, 'bold', text.slice(0, look.columns - 1));
}

function row(
  { name, mounted, rotations, renewal }: CertificateStory,
  story: Story,
  barWidth: number,
  now: Date,
  look: Look,
) {
  if (mounted === undefined) return `  ${name.padEnd(10)}-`;
  const leftMs = remainingMs(mounted, now);
  const lifeMs = remainingMs(mounted, mounted.arrivedAt);
  const dueMs = renewal?.serial === mounted.serial ? renewal.at.getTime() - now.getTime() : undefined;
  const reserveMs = dueMs === undefined ? 0 : leftMs - dueMs;
  const until = dueMs === undefined ? '-' : dueMs <= 0 ? 'now' : seconds(dueMs);
  return [
    `  ${name.padEnd(10)}`,
    paint(look, isFresh(mounted.arrivedAt, now) ? 'green' : undefined, short(mounted.serial).padEnd(10)),
    `${rotations}`.padStart(9),
    '  ',
    bar({ part: leftMs / lifeMs, reserve: reserveMs / lifeMs, width: barWidth }, look),
    paint(look, leftMs <= 0 ? 'red' : undefined, (leftMs <= 0 ? 'over' : seconds(leftMs)).padStart(5)),
    until.padStart(12),
    `  ${story.reasonOf(mounted.serial) ?? ''}`.slice(0, Math.max(0, look.columns - FIXED_WIDTH - barWidth)),
  ].join('');
}

function tally({ handshakes, elapsedMs }: Story, look: Look): string {
  const ok = paint(look, 'green', `${count(handshakes.ok)} ok`);
  const failed = paint(look, handshakes.failed > 0 ? 'red' : undefined, `${count(handshakes.failed)} failed`);
  return `  mTLS handshakes: ${ok}, ${failed}    elapsed: ${stopwatch(elapsedMs)}    ${paint(look, 'dim', 'Ctrl-C ends it')}`;
}

/** One line where there is room. Backslashes keep it a command that can be copied where there is none. */
function invitation({ command, logPath }: Hints, look: Look): string[] {
  const [program = '', ...rest] = command;
  const [option, kubeconfig, ...verb] = rest;
  const line = `  ${command.join(' ')}`;
  const lines =
    line.length < look.columns
      ? [line]
      : [`  ${program} \\`, `    ${option} ${kubeconfig} \\`, `    ${verb.join(' ')}`];
  return ['  look for yourself:', ...lines, `  tail -f ${quoted(logPath)}`];
}

function isFresh(moment: Date, now: Date): boolean {
  return now.getTime() - moment.getTime() < FRESH_MS;
}
