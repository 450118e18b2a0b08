import { lookOf } from './paint.ts';

/**
 * Shows a step of the start: with a running clock on a terminal, as one line once it is done elsewhere. `describe` says
 * what has been reached. A step that fails leaves the line to the message that explains it.
 */
export async function step<T>(title: string, work: () => Promise<T>, describe: (result: T) => string): Promise<T> {
  const started = performance.now();
  const terminal = process.stdout.isTTY === true;
  const [running, done, failed] = lookOf(process.stdout, process.env).unicode ? ['·', '✓', '✗'] : ['-', '+', 'x'];
  const show = (mark: string, text: string, end: string) => {
    process.stdout.write(`${terminal ? '\r\x1b[2K' : ''}  ${mark} ${text}${end}`);
  };
  const took = (digits: number) => `${((performance.now() - started) / 1000).toFixed(digits)} s`;
  const pending = () => show(running, `${title}: ${took(0)}`, '');
  if (terminal) pending();
  const timer = terminal ? setInterval(pending, 1000) : undefined;
  let reached: string | undefined;
  try {
    const result = await work();
    reached = describe(result);
    return result;
  } finally {
    clearInterval(timer);
    if (reached !== undefined) show(done, `${reached} (${took(1)})`, '\n');
    else if (terminal) show(failed, title, '\n');
  }
}
