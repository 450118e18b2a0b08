/** Fetches OpenBao unless that has been done, or can't be. */
import { OPENBAO_LACKS, openBao } from './openbao.ts';

try {
  console.log(OPENBAO_LACKS ?? (await openBao()).vault);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
