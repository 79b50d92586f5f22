import { type RecordedRequest, RecordingServer, type RecordingServerOptions } from '../servers/index.ts';
import { echo } from './function-behaviours.ts';

/** A function behind a real socket that remembers its invocations. */
export class TestFunction extends RecordingServer {
  /** In the order in which their bodies were complete. The list is live. */
  get invocations(): readonly RecordedRequest[] {
    return this.requests;
  }

  /** Invocations with this `X-Call-Id`. */
  countBy(callId: string): number {
    return this.byCallId(callId).length;
  }

  /** Resolves once there have been at least `count`; rejects after `timeoutMs`, default 90,000. */
  waitForInvocations(count: number, timeoutMs = 90_000): Promise<readonly RecordedRequest[]> {
    return this.waitFor(count, 'invocations', timeoutMs);
  }
}

/** Starts a function on a free port. It answers as `handler` does, by default `echo`. */
export async function startTestFunction(options: Partial<RecordingServerOptions> = {}): Promise<TestFunction> {
  const testFunction = new TestFunction({ ...options, handler: options.handler ?? echo });
  await testFunction.listen();
  return testFunction;
}
