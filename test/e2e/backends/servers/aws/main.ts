/** Builds AWS's client and moto unless that has been done. */
import { ensureAwsPython } from '../aws-python.ts';

try {
  console.log(await ensureAwsPython());
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
