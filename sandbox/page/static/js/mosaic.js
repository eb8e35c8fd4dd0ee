// The positions of the tiles of an album. The layout has rows, or one tall tile beside a column. The
// layout that is nearest to a pleasant shape is chosen. Pure arithmetic on aspect ratios (width / height).

const TARGET = 1.12; // height / width of the whole album that looks best in a bubble
const LOWEST = 0.62; // the lowest aspect ratio of a tile; HIGHEST is the highest; tiles are cropped to this range
const HIGHEST = 1.75;
const PER_ROW = 4;
const TALLEST = 0.5; // the lowest aspect ratio of a single picture; WIDEST is the highest
const WIDEST = 4;

/**
 * The layout of an album: {height, tiles: [{x, y, w, h}]}. The tiles are fractions of the album's box.
 * `height` is the height of the box if its width is 1.
 */
export function mosaic(ratios) {
  const cropped = ratios.map((ratio) => clamp(ratio || 1, LOWEST, HIGHEST));
  if (cropped.length === 1) return { height: 1 / clamp(ratios[0] || 1, TALLEST, WIDEST), tiles: [whole()] };
  const layouts = partitions(cropped.length).map((rows) => inRows(cropped, rows));
  if (cropped.length === 3 || cropped.length === 4) layouts.push(besideColumn(cropped));
  return layouts.reduce((best, layout) => (cost(layout) < cost(best) ? layout : best));
}

const whole = () => ({ x: 0, y: 0, w: 1, h: 1 });
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** All ways to divide `count` tiles, in order, into rows of at most PER_ROW tiles. */
export function partitions(count) {
  if (count === 0) return [[]];
  const ways = [];
  for (let first = 1; first <= Math.min(PER_ROW, count); first += 1) {
    for (const rest of partitions(count - first)) ways.push([first, ...rest]);
  }
  return ways;
}

function inRows(ratios, rows) {
  let at = 0;
  const lines = rows.map((size) => ratios.slice(at, (at += size)));
  const heights = lines.map((line) => 1 / sum(line));
  // An album that is taller than 1.45 of its width would not fit on a screen, so all rows are squeezed alike.
  const squeeze = Math.min(1, 1.45 / sum(heights));
  const height = sum(heights) * squeeze;
  const tiles = [];
  let y = 0;
  lines.forEach((line, index) => {
    const h = (heights[index] * squeeze) / height;
    let x = 0;
    for (const ratio of line) {
      const w = ratio / sum(line);
      tiles.push({ x, y, w, h });
      x += w;
    }
    y += h;
  });
  return { height, tiles, squeeze, rows };
}

/** The layout with the first tile tall at the left, and all other tiles in a column at the right. */
function besideColumn(ratios) {
  const [first, ...others] = ratios;
  const column = 1 / sum(others.map((ratio) => 1 / ratio)); // width of the column if its height is 1
  const height = Math.min(1.3, 1 / (first + column));
  const w = clamp(first / (first + column), 0.5, 0.7);
  const tiles = [{ x: 0, y: 0, w, h: 1 }];
  let y = 0;
  for (const ratio of others) {
    const h = column / ratio;
    tiles.push({ x: w, y, w: 1 - w, h });
    y += h;
  }
  return { height, tiles, squeeze: 1, rows: [1, others.length] };
}

function cost({ height, tiles, squeeze, rows }) {
  const smallest = Math.min(...tiles.map((tile) => Math.min(tile.w, tile.h * height)));
  const uneven = Math.max(...rows) - Math.min(...rows);
  const topHeavy = rows.some((size, index) => index > 0 && size < rows[index - 1]) ? 0.08 : 0;
  const tiny = smallest < 0.2 ? 2 * (0.2 - smallest) : 0;
  return Math.abs(height - TARGET) + (1 - squeeze) + 0.05 * uneven + topHeavy + tiny;
}
