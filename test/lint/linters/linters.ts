import { startLineProcess } from '../../pki/verifiers/line-process.ts';
import { ensureProgram } from '../../programs/programs.ts';
import type { Made } from '../grid/grid.ts';
import { pythonScript } from '../programs/build.ts';

export type LinterName = 'zlint' | 'pkilint';

export interface Finding {
  readonly linter: LinterName;
  readonly code: string;
  /** Notice and info are no faults. */
  readonly severity: 'info' | 'notice' | 'warn' | 'warning' | 'error' | 'fatal';
  readonly details: string;
}

export interface Linters {
  /** All findings of both about one certificate, and of pkilint about it and its issuer. */
  lint(made: Pick<Made, 'certificate' | 'issuer'>): Promise<readonly Finding[]>;
  stop(): Promise<void>;
}

/** Starts both; builds them first if need be. Throws an Error that says what to install. */
export async function startLinters(): Promise<Linters> {
  const zlint = startLineProcess('zlint', [await ensureProgram('zlint')]);
  const pkilint = startLineProcess('pkilint', await pythonScript('run_pkilint.py'));
  return {
    async lint({ certificate, issuer }) {
      const own = certificate.der.toString('base64');
      const pair = issuer === undefined ? own : `${own} ${issuer.der.toString('base64')}`;
      const [first, second] = await Promise.all([zlint.ask(own), pkilint.ask(pair)]);
      return [...findings('zlint', first), ...findings('pkilint', second)];
    },
    async stop() {
      await Promise.all([zlint.stop(), pkilint.stop()]);
    },
  };
}

function findings(linter: LinterName, answer: string): readonly Finding[] {
  return (JSON.parse(answer) as Omit<Finding, 'linter'>[]).map((each) => ({ linter, ...each }));
}

/** Whether it is at warning or above. */
export function isFault({ severity }: Finding): boolean {
  return severity !== 'info' && severity !== 'notice';
}
