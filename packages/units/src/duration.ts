const MS_PER_UNIT = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

const PART = '(?:\\d+(?:\\.\\d+)?)';
const DURATION = new RegExp(`^(?:(${PART})d)?(?:(${PART})h)?(?:(${PART})m)?(?:(${PART})s)?(?:(${PART})ms)?$`);

/**
 * Milliseconds of a duration as people write it: `250ms`, `10s`, `5m`, `2h`, `7d`, `1.5s`, and as Go's `time.Duration`
 * prints it, largest unit first: `1h30m`, `1m0.5s`. A bare `0` needs no unit.
 *
 * Fractions of a millisecond are rounded. Anything else is `undefined`, and so is a positive duration that rounds to 0:
 * 0 often means "no limit", which the author of `0.2ms` does not want.
 *
 * @see https://pkg.go.dev/time#Duration.String
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') {
    return 0;
  }
  const parts = DURATION.exec(text)?.slice(1);
  if (text === '' || parts === undefined) {
    return undefined;
  }
  const exactMs = Object.values(MS_PER_UNIT).reduce((sum, unitMs, i) => sum + Number(parts[i] ?? 0) * unitMs, 0);
  const ms = Math.round(exactMs);
  return Number.isSafeInteger(ms) && (ms > 0 || exactMs === 0) ? ms : undefined;
}

/**
 * The shortest text that {@link parseDuration} reads back as the same number: `90000` is `1m30s`, `0` is `0s`.
 *
 * @throws RangeError if `ms` is negative or not a safe integer after rounding
 */
export function formatDuration(ms: number): string {
  let restMs = Math.round(ms);
  if (!Number.isSafeInteger(restMs) || restMs < 0) {
    throw new RangeError(`${ms} ms is not a duration`);
  }
  if (restMs === 0) {
    return '0s';
  }
  let text = '';
  for (const [unit, unitMs] of Object.entries(MS_PER_UNIT)) {
    const count = Math.floor(restMs / unitMs);
    if (count > 0) {
      text += `${count}${unit}`;
    }
    restMs -= count * unitMs;
  }
  return text;
}
