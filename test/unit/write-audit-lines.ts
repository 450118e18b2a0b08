/** Writes lines to the audit log in argv[2] until it is killed. */
import { anEvent, auditLog } from './audited-files.ts';

const audit = auditLog(process.argv[2] ?? '');
process.stdout.write('writing\n');
for (let n = 0; ; n++) audit.write(anEvent(n));
