/** How long the gateway may wait. */
export interface Waiting {
  /** At most. */
  readonly waitMs: number;
  /** As a parameter, for a try that begins now; undefined if the time is up. */
  readonly parameter: () => string | undefined;
  readonly maxElapsedMs?: number;
}
