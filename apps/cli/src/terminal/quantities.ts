const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A length of time as a table shows it, in its largest unit: `3s`, `12m`, `5h`, `40d`. Under a second: `0s`. */
function formatRough(ms: number, round: (units: number) => number = Math.floor): string {
  const [unit, unitMs] = units.find(([, size]) => ms >= size) ?? ['s', 1_000];
  return `${round(Math.max(0, ms) / unitMs)}${unit}`;
}

/** How long ago an RFC 3339 time was: `12m ago`. Text that is no time stays as it is. */
export function formatAge(time: string, nowMs: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : `${formatRough(nowMs - at)} ago`;
}

/** How far away an RFC 3339 time is: `in 12m`, or `12m ago` if it is over. */
export function formatUntil(time: string, nowMs: number): string {
  const at = Date.parse(time);
  return at > nowMs ? `in ${formatRough(at - nowMs, Math.round)}` : formatAge(time, nowMs);
}

/** How long something has lasted: `24s`, `3h`. */
export function formatSeconds(seconds: number): string {
  return formatRough(seconds * 1_000);
}

/** A size as a table shows it: `512 B`, `3.0 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(names.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${names[step]}`;
}

/** `1 call`, `2 calls` */
export function formatCount(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
