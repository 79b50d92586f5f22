let due: (() => void)[] = [];

/**
 * Runs `work` when this tick of the event loop ends, with all else that waits for that, in the order in which it came.
 * `work` must not throw.
 *
 * One `setImmediate` serves all: between two of them Node runs microtasks, and there the NATS client writes what it has.
 * Outcomes, acknowledgements, notices and requests, each sent by an immediate of its own, would be four writes to the
 * socket (of 5 to 10 µs each), and as many reads at the broker, where one will do.
 */
export function atEndOfTick(work: () => void): void {
  if (due.push(work) === 1) {
    setImmediate(runDue);
  }
}

function runDue(): void {
  const works = due;
  due = [];
  for (const work of works) {
    work();
  }
}
