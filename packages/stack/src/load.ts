import type { ApiClient, CallRequest } from './clients/index.ts';

export interface Load {
  /** Ids of the calls that were answered 202. */
  readonly accepted: readonly string[];
  /** Statuses of all other answers. */
  readonly refused: readonly number[];
  /** Codes of connections that broke before an answer. */
  readonly broken: readonly string[];
  /** Sends no more; resolves when every request has ended. */
  stop(): Promise<void>;
}

/**
 * Enqueues calls without a pause until it is stopped, `senders` at once. A sender whose connection breaks stops: its
 * gateway has ended.
 */
export function startLoad(client: ApiClient, name: string, senders: number, request: CallRequest = {}): Load {
  const accepted: string[] = [];
  const refused: number[] = [];
  const broken: string[] = [];
  let isStopped = false;
  const send = async (): Promise<void> => {
    while (!isStopped) {
      try {
        const { status, callId } = await client.call(name, request);
        if (status === 202) {
          accepted.push(callId);
        } else {
          refused.push(status);
        }
      } catch (error) {
        broken.push((error as { code?: string }).code ?? String(error));
        return;
      }
    }
  };
  const all = Promise.all(Array.from({ length: senders }, send));
  return {
    accepted,
    refused,
    broken,
    async stop() {
      isStopped = true;
      await all;
    },
  };
}
