// What the headers of a call may say: its times, its callback, the call that it follows from.

export { type CallHeaders, sortCallHeaders } from './call-headers.ts';
export { notBeforeOf } from './call-times.ts';
export { checkCallbackUrl } from './check-callback-url.ts';
