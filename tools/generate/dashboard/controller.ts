import { type Panel, third } from './panel.ts';
import { OURS, quantiles, rate } from './queries.ts';

export const controller: readonly Panel[] = [
  {
    kind: 'lines',
    title: 'Queue depth',
    description: 'Objects in the queue. It is empty within seconds, unless an authority or the API server is slow.',
    unit: 'short',
    ...third,
    queries: [{ expr: 'sum by (controller) (certwheel_workqueue_depth)', legend: '{{controller}}' }],
  },
  {
    kind: 'areas',
    title: 'Reconcile runs, by outcome',
    description: 'retry and error are failures, again is a race with another writer.',
    unit: 'ops',
    ...third,
    queries: [
      {
        expr: `sum by (controller, outcome) (${rate('certwheel_workqueue_runs_total')})`,
        legend: '{{controller}} {{outcome}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Duration of a reconcile run',
    description: 'Includes authority and API server.',
    unit: 's',
    ...third,
    queries: quantiles('certwheel_workqueue_run_duration_seconds', 'controller'),
  },
  {
    kind: 'areas',
    title: 'Requests to the API server',
    description: 'By verb and resource.',
    unit: 'reqps',
    ...third,
    queries: [
      {
        expr: `sum by (verb, resource) (${rate('certwheel_kube_requests_total')}) > 0`,
        legend: '{{verb}} {{resource}}',
      },
    ],
  },
  {
    kind: 'areas',
    title: 'Failed requests',
    description: 'By status; 0 means no answer. A few 409 are detected races.',
    unit: 'reqps',
    ...third,
    queries: [
      {
        expr: `sum by (status, verb, resource) (${rate('certwheel_kube_requests_total{status!="200"}')}) > 0`,
        legend: '{{status}} {{verb}} {{resource}}',
      },
    ],
  },
  {
    kind: 'lines',
    title: 'Writes per rotation',
    description:
      'Two for a routine renewal; the first issue writes an event too, and failures write without a rotation.',
    unit: 'short',
    ...third,
    queries: [
      {
        expr: `sum(${rate('certwheel_kube_requests_total{verb=~"apply|create|delete",resource!="leases"}')}) / (sum(${rate('certwheel_rotations_total')}) > 0)`,
        legend: 'writes per rotation',
      },
    ],
  },
  {
    kind: 'states',
    title: 'Leader',
    description: 'One replica is active; the others stand by with their caches filled.',
    unit: 'short',
    ...third,
    states: ['stands by', 'acts'],
    queries: [{ expr: 'max by (instance, pod) (certwheel_leader)', legend: '{{pod}} {{instance}}' }],
  },
  {
    kind: 'lines',
    title: 'Age of the last watch event',
    description: 'Bookmarks arrive every minute.',
    unit: 's',
    ...third,
    queries: [{ expr: 'max by (watch) (certwheel_watch_last_event_age_seconds)', legend: '{{watch}}' }],
  },
  {
    kind: 'lines',
    title: 'Event loop delay',
    description: 'p99; above a second, the controller needs more CPU.',
    unit: 's',
    ...third,
    queries: [{ expr: `nodejs_eventloop_lag_p99_seconds ${OURS}`, legend: '{{pod}} {{instance}}' }],
  },
  {
    kind: 'lines',
    title: 'Audit log',
    description: 'All are 0 unless it is on. Failed writes are tried again; lost lines are gone.',
    unit: 'ops',
    ...third,
    queries: [
      { expr: `sum(${rate('certwheel_audit_lines_total')})`, legend: 'lines' },
      { expr: `sum(${rate('certwheel_audit_write_failures_total')})`, legend: 'failed writes' },
      { expr: `sum(${rate('certwheel_audit_lost_lines_total')})`, legend: 'lost lines' },
    ],
  },
  {
    kind: 'lines',
    title: 'Memory',
    description: 'Resident memory, and the used heap in it. docs/performance.md has reference values.',
    unit: 'bytes',
    ...third,
    queries: [
      { expr: `process_resident_memory_bytes ${OURS}`, legend: 'resident {{pod}} {{instance}}' },
      { expr: `nodejs_heap_size_used_bytes ${OURS}`, legend: 'in use {{pod}} {{instance}}' },
    ],
  },
  {
    kind: 'lines',
    title: 'CPU',
    description: 'In cores; the controller uses at most one.',
    unit: 'short',
    ...third,
    queries: [{ expr: `${rate('process_cpu_seconds_total')} ${OURS}`, legend: '{{pod}} {{instance}}' }],
  },
];
