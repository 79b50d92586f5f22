/** Times in seconds, then the values of each series. */
export type ChartData = [number[], ...(number | null)[][]];

/** How much time a chart shows at least, in seconds, so that the first samples do not fill it. */
const leastSpan = 120;

/**
 * The same data, with two times at least: of one, uPlot draws a whole day, and of none, the year 1970.
 * @param nowMs Unix time in milliseconds
 */
export function withSpan(data: ChartData, nowMs = Date.now()): ChartData {
  const [times, ...series] = data;
  if (times.length >= 2) {
    return data;
  }
  const end = times[0] ?? nowMs / 1_000;
  return [[end - leastSpan, end], ...series.map(([value = null]) => [null, value])];
}

/** The times that a chart of two times at least shows. */
export function timeRange(from: number, to: number): [number, number] {
  return [Math.min(from, to - leastSpan), to];
}
