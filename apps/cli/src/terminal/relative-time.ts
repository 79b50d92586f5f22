const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A length of time as a table shows it, in its largest unit: `3s`, `12m`, `5h`, `40d`. Under a second: `0s`. */
function formatRough(ms: number): string {
  const [unit, unitMs] = units.find(([, size]) => ms >= size) ?? ['s', 1_000];
  return `${Math.floor(Math.max(0, ms) / unitMs)}${unit}`;
}

/** How long ago an RFC 3339 time was: `12m ago`. Text that is no time stays as it is. */
export function formatAge(time: string, nowMs: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : `${formatRough(nowMs - at)} ago`;
}

/** How far away an RFC 3339 time is: `in 12m`, or `12m ago` if it is over. */
export function formatUntil(time: string, nowMs: number): string {
  const at = Date.parse(time);
  return at > nowMs ? `in ${formatRough(at - nowMs)}` : formatAge(time, nowMs);
}
