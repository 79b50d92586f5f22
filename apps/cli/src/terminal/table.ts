import { toPrintable } from './printable.ts';

export interface Column<T> {
  readonly title: string;
  /** The cell of a row. It may quote strangers: it is made printable. Undefined: nothing. */
  readonly of: (row: T) => string | number | undefined;
  /** Numbers are aligned on the right. Default: left. */
  readonly align?: 'right';
  /** May be cut with an ellipsis if the terminal is too narrow. Default: never cut. */
  readonly isFlexible?: boolean;
}

const gap = '  ';
const leastFlexible = 8;

/**
 * The lines of a table, the first with the titles. Columns without any cell are left out.
 * @param width of the terminal in characters; undefined: lines may be as long as they like
 */
export function renderTable<T>(rows: readonly T[], columns: readonly Column<T>[], width?: number): string[] {
  const filled = columns
    .map((column) => ({ column, cells: rows.map((row) => toPrintable(String(column.of(row) ?? ''))) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const widths = fit(
    filled.map(({ column, cells }) => ({
      width: Math.max(column.title.length, ...cells.map(lengthOf)),
      isFlexible: column.isFlexible === true,
    })),
    width,
  );
  const line = (cellOf: (index: number) => string): string =>
    filled
      .map(({ column }, index) => pad(cellOf(index), widths[index] ?? 0, column.align))
      .join(gap)
      .trimEnd();
  return [
    line((index) => filled[index]?.column.title ?? ''),
    ...rows.map((_, row) => line((index) => filled[index]?.cells[row] ?? '')),
  ];
}

/** Names and values below each other, without those that have no value. */
export function renderFacts(facts: readonly (readonly [name: string, value: string | number | undefined])[]): string[] {
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}${gap}${toPrintable(String(value))}`);
}

interface Wanted {
  readonly width: number;
  readonly isFlexible: boolean;
}

/** Takes what is too much from the flexible columns, the widest first. */
function fit(wanted: readonly Wanted[], width = Number.POSITIVE_INFINITY): number[] {
  const widths = wanted.map((column) => column.width);
  const total = (): number => widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1));
  for (;;) {
    const excess = total() - width;
    const widest = wanted.reduce(
      (best, { isFlexible }, index) => (isFlexible && (widths[index] ?? 0) > (widths[best] ?? 0) ? index : best),
      -1,
    );
    const current = widths[widest] ?? 0;
    if (excess <= 0 || current <= leastFlexible) {
      return widths;
    }
    const others = wanted.flatMap((column, index) =>
      column.isFlexible && index !== widest ? (widths[index] ?? 0) : [],
    );
    widths[widest] = Math.max(leastFlexible, current - excess, ...others.map((one) => Math.min(one, current - 1)));
  }
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const characters = Array.from(text);
  const cut = characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : text;
  const space = ' '.repeat(Math.max(0, width - lengthOf(cut)));
  return align === 'right' ? `${space}${cut}` : `${cut}${space}`;
}
