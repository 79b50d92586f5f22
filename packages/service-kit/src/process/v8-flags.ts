import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 allocate every object in the young generation, where those that die soon cost next to nothing.
 *
 * V8 watches what outlives a minor collection, and from then on puts what is made at the same place of the code right
 * into the old generation ("pretenuring"). What a request is made of lives for some milliseconds, long enough to be taken
 * for lasting: the dead objects then wait for the next full collection, and all that they refer to waits with them. For
 * the gateway at 10,000 requests a second that was 40 % of its time (docs/adr/0028-young-objects.md).
 *
 * To be called at the start of a process.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
