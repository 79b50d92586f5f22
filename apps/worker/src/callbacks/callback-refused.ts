/** The address of a callback is forbidden. Trying again changes nothing. */
export class CallbackRefusedError extends Error {
  override readonly name = 'CallbackRefusedError';
  readonly code = 'callback_refused';

  /** @param reason a sentence without its full stop that quotes nothing of the URL (P9) */
  constructor(reason: string) {
    super(`the callback is not sent: ${reason}`);
  }
}
