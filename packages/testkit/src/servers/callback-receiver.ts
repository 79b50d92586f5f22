import {
  type RecordedRequest,
  RecordingServer,
  type RecordingServerOptions,
  type RequestHandler,
} from './recording-server.ts';

export interface CallbackReceiverOptions extends Omit<RecordingServerOptions, 'handler'> {
  /** Decides the answers. Default: 204. */
  respond?: RequestHandler;
}

/** Receives the requests to `X-Callback-Url`, at any path, and remembers them. */
export class CallbackReceiver extends RecordingServer {
  /** In the order in which their bodies were complete. The list is live. */
  get callbacks(): readonly RecordedRequest[] {
    return this.requests;
  }

  /** Resolves once there have been at least `count`; rejects after `timeoutMs`, default 90,000. */
  waitForCallbacks(count: number, timeoutMs = 90_000): Promise<readonly RecordedRequest[]> {
    return this.waitFor(count, 'callbacks', timeoutMs);
  }
}

/** Starts a receiver on a free port. */
export async function startCallbackReceiver(options: CallbackReceiverOptions = {}): Promise<CallbackReceiver> {
  const { respond = noContent, ...rest } = options;
  const receiver = new CallbackReceiver({ ...rest, handler: respond });
  await receiver.listen();
  return receiver;
}

const noContent: RequestHandler = (_request, response) => {
  response.writeHead(204).end();
};
