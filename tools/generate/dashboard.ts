/** dashboard/panels.ts -> helm/certwheel/dashboards/certwheel.json */

import { ROWS } from './dashboard/panels.ts';
import { panelJson, rowJson } from './dashboard/render.ts';
import type { Outputs } from './outputs.ts';

const COLUMNS = 24;

export function generateDashboard(): Outputs {
  return { 'helm/certwheel/dashboards/certwheel.json': `${JSON.stringify(dashboard(), undefined, 2)}\n` };
}

export function dashboard() {
  return {
    uid: 'certwheel',
    title: 'Certwheel',
    description: 'Certificates, their renewals, their authorities, and the controller that looks after them.',
    tags: ['certwheel'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: '',
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
        labelVariable('namespace', 'Namespace', 'certwheel_certificate_ready'),
        labelVariable('authority', 'Authority', 'certwheel_authority_ready'),
      ],
    },
    panels: placed(),
  };
}

/** Values of a label; all of them unless some are chosen, also those that come later. */
function labelVariable(label: string, title: string, metric: string) {
  const query = `label_values(${metric}, ${label})`;
  return {
    name: label,
    label: title,
    type: 'query',
    datasource: { type: 'prometheus', uid: '$datasource' },
    definition: query,
    query: { query, refId: 'variable' },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  };
}

/** From left to right, row by row: nobody has to count columns. */
function placed() {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: wanted } of ROWS) {
    panels.push(rowJson(title, panels.length + 1, y++));
    let x = 0;
    let height = 0;
    for (const panel of wanted) {
      if (x + panel.width > COLUMNS) {
        y += height;
        x = height = 0;
      }
      panels.push(panelJson(panel, panels.length + 1, { x, y, w: panel.width, h: panel.height }));
      x += panel.width;
      height = Math.max(height, panel.height);
    }
    y += height;
  }
  return panels;
}
