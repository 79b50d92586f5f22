import { observeWindowOffset, observeWindowRect, Virtualizer, windowScroll } from '@tanstack/virtual-core';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';

export interface Column<R> {
  readonly key: string;
  readonly title: string;
  readonly show: (row: R) => ComponentChildren;
  /** Numbers stand below each other. */
  readonly number?: boolean;
  /** Left out where there is little room. */
  readonly wide?: boolean;
  /** What the rows can be sorted by. Without it they cannot. */
  readonly sortBy?: (row: R) => number | string;
}

interface TableProps<R> {
  /** What the table lists, for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<R>[];
  readonly rows: readonly R[];
  readonly keyOf: (row: R) => string;
}

interface Order {
  readonly key: string;
  readonly descending: boolean;
}

/** A table of any length: only the rows in view are in the document. */
export function Table<R>({ label, columns, rows, keyOf }: TableProps<R>) {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const sorted = useMemo(() => sortRows(rows, columns, order), [rows, order]);
  const table = useRef<HTMLTableElement>(null);
  const { items, before, after } = useRowsInView(table, sorted.length);
  return (
    <table class="table" ref={table} aria-label={label} aria-rowcount={sorted.length + 1}>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map((column) => (
            <Heading key={column.key} column={column} order={order} onSort={setOrder} />
          ))}
        </tr>
      </thead>
      <tbody>
        <Spacer height={before} columns={columns.length} />
        {items.map((index) => {
          const row = sorted[index];
          return (
            row !== undefined && (
              <tr key={keyOf(row)} aria-rowindex={index + 2} data-index={index}>
                {columns.map((column) => (
                  <td key={column.key} class={classOf(column)}>
                    {column.show(row)}
                  </td>
                ))}
              </tr>
            )
          );
        })}
        <Spacer height={after} columns={columns.length} />
      </tbody>
    </table>
  );
}

function classOf<R>({ number, wide }: Column<R>): string {
  return `${number === true ? 'number' : ''} ${wide === true ? 'wide' : ''}`.trim();
}

interface HeadingProps<R> {
  readonly column: Column<R>;
  readonly order: Order | undefined;
  readonly onSort: (order: Order) => void;
}

function Heading<R>({ column, order, onSort }: HeadingProps<R>) {
  const { key, title, sortBy, number = false } = column;
  const isOrder = order?.key === key;
  // The largest numbers are looked for more often than the smallest.
  const descending = isOrder ? !order.descending : number;
  return (
    <th
      scope="col"
      class={classOf(column)}
      {...(isOrder && { 'aria-sort': order.descending ? 'descending' : 'ascending' })}
    >
      {sortBy === undefined ? (
        title
      ) : (
        <button type="button" onClick={() => onSort({ key, descending })}>
          {title}
          <span aria-hidden="true">{isOrder ? (order.descending ? ' ↓' : ' ↑') : ''}</span>
        </button>
      )}
    </th>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return height <= 0 ? null : (
    <tr class="spacer">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

function sortRows<R>(rows: readonly R[], columns: readonly Column<R>[], order: Order | undefined): readonly R[] {
  const sortBy = columns.find(({ key }) => key === order?.key)?.sortBy;
  if (sortBy === undefined || order === undefined) {
    return rows;
  }
  const sign = order.descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare(sortBy(a), sortBy(b)));
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Height of a row before any is measured, in pixels. */
const usualHeight = 41;

/** The rows that the window shows, and the heights of those before and after. */
function useRowsInView(table: { readonly current: HTMLTableElement | null }, count: number) {
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const height = useRef<number | undefined>(undefined);
  const [virtualizer] = useState(
    () =>
      new Virtualizer<Window, HTMLTableRowElement>({
        count,
        getScrollElement: () => window,
        estimateSize: () => height.current ?? usualHeight,
        overscan: 8,
        observeElementRect: observeWindowRect,
        observeElementOffset: observeWindowOffset,
        scrollToFn: windowScroll,
        initialRect: { width: window.innerWidth, height: window.innerHeight },
        onChange: () => redraw(undefined),
      }),
  );
  const scrollMargin = table.current === null ? 0 : topOf(table.current);
  virtualizer.setOptions({ ...virtualizer.options, count, scrollMargin });
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useEffect(() => {
    virtualizer._willUpdate();
    const rows = table.current?.querySelectorAll<HTMLTableRowElement>('tr[data-index]') ?? [];
    const [first] = rows;
    if (first !== undefined && height.current === undefined) {
      // The other rows are taken to be as high, so that the end of the page is the end of the table.
      height.current = first.getBoundingClientRect().height;
      virtualizer.measure();
    }
    for (const row of rows) {
      virtualizer.measureElement(row);
    }
  });
  const items = virtualizer.getVirtualItems();
  const [first, last] = [items[0], items.at(-1)];
  return {
    items: items.map(({ index }) => index),
    before: first === undefined ? 0 : first.start - scrollMargin,
    after: last === undefined ? 0 : virtualizer.getTotalSize() - (last.end - scrollMargin),
  };
}

function topOf(element: HTMLElement): number {
  return element.getBoundingClientRect().top + window.scrollY;
}
