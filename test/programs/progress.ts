const quietLineMs = 30_000;

/**
 * Shows on stderr that a long step is alive: a running clock on a terminal, a line every half minute elsewhere.
 * What `work` returns as a note ends the last line.
 */
export async function showProgress(title: string, work: () => Promise<string>): Promise<void> {
  const started = performance.now();
  const terminal = process.stderr.isTTY === true;
  const seconds = () => `${Math.round((performance.now() - started) / 1000)} s`;
  const show = (text: string, last: boolean) => {
    process.stderr.write(terminal ? `\r\x1b[2K${text}${last ? '\n' : ''}` : `${text}\n`);
  };
  show(title, false);
  const timer = setInterval(() => show(`${title}: ${seconds()}`, false), terminal ? 1000 : quietLineMs);
  try {
    const note = await work();
    show(`${title}: done after ${seconds()}${note}`, true);
  } catch (error) {
    show(`${title}: failed after ${seconds()}`, true);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
