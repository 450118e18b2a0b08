import type { Panel } from './panel.ts';

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

const TYPES = {
  stat: 'stat',
  lines: 'timeseries',
  areas: 'timeseries',
  bars: 'bargauge',
  table: 'table',
  states: 'state-timeline',
} as const;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export function rowJson(title: string, id: number, y: number) {
  return { id, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] };
}

export function panelJson(panel: Panel, id: number, gridPos: Place) {
  return {
    id,
    type: TYPES[panel.kind],
    title: panel.title,
    description: panel.description,
    datasource: DATASOURCE,
    gridPos,
    targets: targets(panel),
    fieldConfig: { defaults: defaults(panel), overrides: overrides(panel) },
    options: options(panel),
    ...(panel.kind === 'table' ? { transformations: columns(panel) } : {}),
  };
}

/** What shows only what is so now needs no history. */
function targets({ kind, queries }: Panel) {
  const instant = kind === 'stat' || kind === 'bars' || kind === 'table';
  return queries.map(({ expr, legend }, index) => ({
    refId: refId(index),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    legendFormat: legend,
    instant,
    range: !instant,
    format: kind === 'table' ? 'table' : 'time_series',
  }));
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function defaults(panel: Panel) {
  const { kind, unit, states, colors, max } = panel;
  const shared = { unit, thresholds: thresholds(panel), ...(max === undefined ? {} : { max }) };
  switch (kind) {
    case 'lines':
    case 'areas':
      return { ...shared, color: { mode: 'palette-classic' }, custom: drawing(panel) };
    case 'states':
      return {
        ...shared,
        color: { mode: 'thresholds' },
        custom: { fillOpacity: 70, lineWidth: 0 },
        mappings: words(states, colors),
      };
    case 'bars':
      return { ...shared, color: { mode: 'thresholds' }, min: 0 };
    case 'stat':
      return { ...shared, color: { mode: 'thresholds' }, noValue: '–' };
    case 'table':
      return { ...shared, color: { mode: 'thresholds' }, custom: { align: 'auto', filterable: true } };
  }
}

function drawing({ kind, logarithmic = false }: Panel) {
  return {
    drawStyle: 'line',
    lineInterpolation: 'stepAfter',
    lineWidth: 1,
    fillOpacity: kind === 'areas' ? 40 : 5,
    showPoints: 'never',
    spanNulls: false,
    ...(logarithmic ? { scaleDistribution: { type: 'log', log: 10 } } : { axisSoftMin: 0 }),
    stacking: { mode: kind === 'areas' ? 'normal' : 'none', group: 'A' },
  };
}

function thresholds({ limits = {} }: Panel) {
  const { orange, red, falling = false } = limits;
  const step = (color: string, value: number | null | undefined) => (value === undefined ? [] : [{ color, value }]);
  const steps = falling
    ? [...step('red', null), ...step('orange', red), ...step('green', orange ?? red)]
    : [...step('green', null), ...step('orange', orange), ...step('red', red)];
  return { mode: 'absolute', steps };
}

function words(states: Panel['states'], colors: Panel['colors'] = ['red', 'green']) {
  if (states === undefined) return [];
  const [zero, one] = states;
  return [
    {
      type: 'value',
      options: { 0: { text: zero, color: colors[0], index: 0 }, 1: { text: one, color: colors[1], index: 1 } },
    },
  ];
}

function options({ kind }: Panel): object {
  const reduce = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (kind) {
    case 'lines':
    case 'areas':
      return {
        legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'states':
      return { showValue: 'auto', mergeValues: true, rowHeight: 0.8, legend: { showLegend: false } };
    case 'bars':
      return { orientation: 'horizontal', displayMode: 'basic', showUnfilled: true, reduceOptions: reduce };
    case 'stat':
      return { colorMode: 'value', graphMode: 'none', justifyMode: 'center', textMode: 'value', reduceOptions: reduce };
    case 'table':
      return { showHeader: true, cellHeight: 'sm' };
  }
}

/** A line for each set of labels, a column for each query. */
function columns({ queries }: Panel) {
  const names = queries.map(({ legend }, index) => [`Value #${refId(index)}`, legend]);
  return [
    { id: 'merge', options: {} },
    { id: 'organize', options: { excludeByName: { Time: true }, renameByName: Object.fromEntries(names) } },
    { id: 'sortBy', options: { sort: [{ field: queries[0]?.legend ?? '', desc: false }] } },
  ];
}

/** Labels are words: a unit would only spoil them. */
function overrides({ kind, unit, queries }: Panel) {
  if (kind !== 'table') return [];
  return queries.map(({ legend }) => ({
    matcher: { id: 'byName', options: legend },
    properties: [
      { id: 'unit', value: unit },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ],
  }));
}
