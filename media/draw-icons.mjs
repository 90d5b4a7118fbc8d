// Draws both icons: a block of pixels that comes apart toward one corner, because sandboxes are made to be thrown away.
//   node media/draw-icons.mjs CHROMIUM
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CELLS = 4;

/** Squares of a grid, smaller toward the upper right; `toward` is 0 at the lower left and 1 at the upper right. */
function squares(size, margin, drawOne) {
  const pitch = (size - 2 * margin) / CELLS;
  const cells = [];
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      const toward = (column + (CELLS - 1 - row)) / (2 * CELLS - 2);
      const side = pitch * (0.88 - 0.68 * toward ** 1.3);
      const at = (index) => margin + pitch * (index + 0.5) - side / 2;
      cells.push(drawOne({ x: at(column), y: at(row), side, toward }));
    }
  }
  return cells.join('\n  ');
}

const round = (value) => Number(value.toFixed(2));
const rect = ({ x, y, side }, more) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(side)}" height="${round(side)}" ${more}/>`;

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const activityBar = squares(24, 2, (square) => rect(square, 'rx="0.6"'));
fs.writeFileSync(
  file('pixels.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" fill="currentColor">\n  ${activityBar}\n</svg>\n`,
);

/** From green, the colour of a running sandbox, to blue. */
const colour = (toward) => `hsl(${150 + 62 * toward} ${74 + 10 * toward}% ${58 + 6 * toward}%)`;
const marketplace = squares(256, 44, (square) => rect(square, `rx="5" fill="${colour(square.toward)}"`));
const icon = `<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256" viewBox="0 0 256 256">
  <defs><linearGradient id="ground" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#20293d"/><stop offset="1" stop-color="#0d1220"/></linearGradient></defs>
  <rect width="256" height="256" rx="52" fill="url(#ground)"/>
  ${marketplace}
</svg>`;
const browser = await chromium.launch({
  executablePath: process.argv[2] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
await page.setContent(`<style>*{margin:0}</style>${icon}`);
await page.screenshot({ path: file('icon.png'), omitBackground: true });
await browser.close();
