// Parses the headers of a call: its times, its callback, the call that it follows.

export { type CallHeaders, sortCallHeaders } from './call-headers.ts';
export { notBeforeOf } from './call-times.ts';
export { checkCallbackUrls } from './check-callback-url.ts';
export { withoutControls } from './control-headers.ts';
