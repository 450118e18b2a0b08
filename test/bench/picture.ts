import type { Growth } from './measure-many.ts';

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { left: 60, right: 60, top: 40, bottom: 45 };
const COLOURS = { rate: '#2563eb', memory: '#d97706' };

/** Rotations a second and memory over the number of certificates, as an SVG; the number on a logarithmic axis. */
export function drawGrowth(growth: readonly Growth[]): string {
  const rows = growth.filter(({ namespaces }) => namespaces === 1);
  const topRate = niceTop(Math.max(...rows.map(({ perSecond }) => perSecond)));
  const topMemory = niceTop(Math.max(...rows.map(({ memoryMb }) => memoryMb)));
  const logs = rows.map(({ certificates }) => Math.log10(certificates));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const x = (certificates: number) =>
    MARGIN.left + ((Math.log10(certificates) - low) / (high - low)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number, top: number) =>
    HEIGHT - MARGIN.bottom - (Math.max(0, value) / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const line = (colour: string, value: (row: Growth) => number, top: number) => {
    const points = rows.map((row) => [x(row.certificates), y(value(row), top)] as const);
    const path = points.map(([left, down]) => `${left.toFixed(1)},${down.toFixed(1)}`).join(' ');
    const dots = points
      .map(([left, down]) => `<circle cx="${left.toFixed(1)}" cy="${down.toFixed(1)}" r="4" fill="${colour}"/>`)
      .join('');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`;
  };
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const down = y(share, 1).toFixed(1);
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${down}" y2="${down}" stroke="#e5e7eb"/>${text(MARGIN.left - 8, Number(down) + 4, String(Math.round(share * topRate)), 'end', COLOURS.rate)}${text(WIDTH - MARGIN.right + 8, Number(down) + 4, String(Math.round(share * topMemory)), 'start', COLOURS.memory)}`;
  });
  const ticks = rows.map(({ certificates }) =>
    text(x(certificates), HEIGHT - MARGIN.bottom + 18, certificates.toLocaleString('en'), 'middle', '#374151'),
  );
  const labels = [
    text(MARGIN.left, 20, 'rotations a second', 'start', COLOURS.rate),
    text(WIDTH - MARGIN.right, 20, 'memory added, MB', 'end', COLOURS.memory),
    text(WIDTH / 2, HEIGHT - 8, 'certificates', 'middle', '#374151'),
  ];
  const body = [
    ...grid,
    ...ticks,
    ...labels,
    line(COLOURS.rate, ({ perSecond }) => perSecond, topRate),
    line(COLOURS.memory, ({ memoryMb }) => memoryMb, topMemory),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">\n<title>Rotations a second, and memory added, over the number of certificates</title>\n<rect width="100%" height="100%" fill="white"/>\n${body.join('\n')}\n</svg>\n`;
}

/** The next of 1, 2, 5 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function text(left: number, down: number, content: string, anchor: string, colour: string): string {
  return `<text x="${left.toFixed(1)}" y="${down.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${content}</text>`;
}
