import type { Option } from '../flag-values.ts';

export interface AuditConfig {
  /** Path of the audit log, or `-` for standard output; undefined for none. */
  readonly auditLog: string | undefined;
}

export const AUDIT_OPTIONS = [
  {
    flag: 'audit-log',
    value: 'FILE',
    standard: '',
    help: 'write the audit log to this file, or to standard output if it is -; none if empty',
  },
] as const satisfies readonly Option[];

export function toAuditConfig(values: Readonly<Record<(typeof AUDIT_OPTIONS)[number]['flag'], string>>): AuditConfig {
  return { auditLog: values['audit-log'] === '' ? undefined : values['audit-log'] };
}
