import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatShort } from '../format/index.ts';
import { type ChartData, timeRange, withSpan } from './chart-data.ts';

interface ChartSeries {
  readonly label: string;
  /** Name of a colour of the design: `--series-NAME`. */
  readonly colour: 'in' | 'out' | 'waiting';
  /** What is said of the newest value, such as `12.3/s`. */
  readonly latest: string;
}

interface ChartProps {
  readonly title: string;
  readonly series: readonly ChartSeries[];
  /** Whether the values are counts, which are never halves. */
  readonly whole?: boolean;
  readonly data: ChartData;
}

/** Between the lines of a chart of counts: 1, 2, 5, 10, and so on. */
const wholeSteps = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap((power) => [power, 2 * power, 5 * power]);

/** Between the lines of other charts: no step has more than the one digit that labels show. */
const steps = [0.1, 0.2, 0.5, ...wholeSteps];

/** Values over the last minutes. The newest ones stand above as text. */
export function Chart({ title, series, data, whole = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const colours = series.map(({ colour }) => colour).join();
  useEffect(() => {
    const element = place.current;
    if (element === null) {
      return;
    }
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(element, series, whole), withSpan(data), element);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize(sizeOf(element)));
    resized.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [colours]);
  useEffect(() => plot.current?.setData(withSpan(data)), [data]);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="row">
          {series.map(({ label, colour, latest }) => (
            <span key={label} class={`key ${colour}`}>
              <span class="quiet">{label}</span> {latest}
            </span>
          ))}
        </span>
      </figcaption>
      <div class="chart-canvas" ref={place} aria-hidden="true" />
    </figure>
  );
}

function optionsFor(element: HTMLElement, series: readonly ChartSeries[], whole: boolean): uPlot.Options {
  const [quiet, line] = [colourOf(element, '--text-quiet'), colourOf(element, '--line')];
  const font = `${0.75 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)}px system-ui, sans-serif`;
  const axis = { stroke: quiet, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    ...sizeOf(element),
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 4, 0, 0],
    scales: {
      x: { range: (_, from, to) => timeRange(from, to) },
      y: { range: (_, __, most) => [0, niceTop(most)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 90, size: 24, values: (_, times) => times.map(toClock) },
      {
        ...axis,
        size: 44,
        space: 28,
        values: (_, values) => values.map(formatShort),
        incrs: whole ? wholeSteps : steps,
      },
    ],
    series: [
      {},
      ...series.map(({ colour }) => ({
        stroke: colourOf(element, `--series-${colour}`),
        width: 1.75,
        points: { show: false },
        ...(colour === 'waiting' && { fill: `${colourOf(element, '--series-waiting').replace(')', ' / 12%)')}` }),
      })),
    ],
  };
}

/** Some room above the highest value, and a scale even for zeros. */
function niceTop(most: number | null): number {
  return Math.max(1, (most ?? 0) * 1.15);
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function toClock(seconds: number): string {
  return clock.format(seconds * 1_000);
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement) {
  return { width: Math.max(clientWidth, 80), height: Math.max(clientHeight, 60) };
}

/** A colour of the design as a canvas takes it: `rgb(r g b)`. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = element.ownerDocument.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color.replaceAll(',', '');
}
