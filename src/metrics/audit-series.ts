import { Counter, type Registry } from 'prom-client';
import type { AuditMetrics } from '../audit/audit-log.ts';

/** How well the audit log is written; 0 where none is kept. */
export class AuditSeries implements AuditMetrics {
  readonly #lines: Counter;
  readonly #failures: Counter;
  readonly #lost: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#lines = new Counter({
      name: 'certwheel_audit_lines_total',
      help: 'Lines written to the audit log.',
      registers,
    });
    this.#failures = new Counter({
      name: 'certwheel_audit_write_failures_total',
      help: 'Failed writes of the audit log; its lines wait in memory and issuance goes on.',
      registers,
    });
    this.#lost = new Counter({
      name: 'certwheel_audit_lost_lines_total',
      help: 'Lines of the audit log that were lost, because writes failed for too long.',
      registers,
    });
  }

  written(): void {
    this.#lines.inc();
  }

  failed(): void {
    this.#failures.inc();
  }

  lost(): void {
    this.#lost.inc();
  }
}
