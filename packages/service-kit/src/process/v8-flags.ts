import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 allocate every object in the young generation, where those that die soon cost next to nothing.
 *
 * V8 observes which objects outlive a minor collection, and then allocates objects of the same code location directly
 * in the old generation ("pretenuring"). The objects of a request live for some milliseconds, long enough to seem
 * permanent: once dead, they and everything that they refer to wait for the next full collection. For the gateway at
 * 10,000 requests a second that was 40 % of its time (docs/adr/0028-young-objects.md).
 *
 * Call it at the start of a process.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
