const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `12,345`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** `12.3K`, for axes. */
export function formatShort(count: number): string {
  return compact.format(count);
}

/** `0.4`, `12.3`, `248`. */
export function formatRate(perSecond: number): string {
  return perSecond >= 100 ? whole.format(perSecond) : oneDigit.format(perSecond);
}

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });

/** `2.5%`. */
export function formatShare(share: number): string {
  return percent.format(share);
}

/** `3 calls`, `1 call`. */
export function formatMany(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const units: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

/** `350 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`: the two largest units. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < 60_000) {
    return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  }
  const seconds = Math.round(ms / 1_000);
  const at = units.findIndex(([size]) => seconds >= size);
  const [size, name] = units[at] ?? [60, 'min'];
  const [lower, lowerName] = units[at + 1] ?? [1, 's'];
  const rest = Math.floor((seconds % size) / lower);
  return `${Math.floor(seconds / size)} ${name}${rest === 0 ? '' : ` ${rest} ${lowerName}`}`;
}

/** `3.2 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${names[power]}`;
}

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** The time of day in the zone of the reader, with the day unless it is today. */
export function formatTime(at: string | number, now = Date.now()): string {
  const date = new Date(at);
  return date.toDateString() === new Date(now).toDateString() ? time.format(date) : dayTime.format(date);
}

/** `just now`, `12 s ago`, `3 min ago`. */
export function formatAgo(at: string | number, now = Date.now()): string {
  const ms = now - new Date(at).getTime();
  if (ms < 1_000) {
    return 'just now';
  }
  return `${ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : formatDuration(ms)} ago`;
}
