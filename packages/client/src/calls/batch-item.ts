import { checkOptions, OptionError } from '../errors/index.ts';
import { type CallBody, toPayload } from './call-body.ts';
import { type CallHeaderOptions, toCallHeaders, toCallPath, toSubPath } from './call-headers.ts';
import { callHeaderOptions } from './option-names.ts';

/** An item of a batch as the gateway reads it. */
export interface BatchItem {
  readonly function: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyBase64?: string;
}

/** A call as an item of a batch, byte for byte what it is alone. */
export async function toBatchItem(
  call: CallHeaderOptions & { readonly function: string; readonly body?: CallBody },
  index: number,
): Promise<BatchItem> {
  try {
    checkOptions(call, { ...callHeaderOptions, function: true, body: true });
    toCallPath(call.function, call);
    const { body, contentType } = await toPayload(call.body);
    if (body instanceof ReadableStream) {
      throw new OptionError('body: a batch cannot have streams');
    }
    const path = toSubPath(call.path ?? '', call.query);
    return {
      function: call.function,
      ...(path !== '' && { path }),
      headers: Object.fromEntries(toCallHeaders(call, contentType)),
      ...(typeof body === 'string' ? { body } : body !== undefined && { bodyBase64: toBase64(body) }),
    };
  } catch (error) {
    throw error instanceof OptionError ? new OptionError(`calls.${index}: ${error.message}`) : error;
  }
}

/** `btoa` takes text, and functions take so many arguments. */
function toBase64(bytes: Uint8Array): string {
  const pieceLength = 32_768;
  let text = '';
  for (let at = 0; at < bytes.length; at += pieceLength) {
    text += String.fromCharCode(...bytes.subarray(at, at + pieceLength));
  }
  return btoa(text);
}
