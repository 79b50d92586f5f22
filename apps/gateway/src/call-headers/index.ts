// Parses the headers of a call: its times, its callback, the call that it follows.

export { type CallHeaders, sortCallHeaders } from './call-headers.ts';
export { type CallTimes, notBeforeOf } from './call-times.ts';
export { checkCallbackUrls } from './check-callback-url.ts';
export { withoutControls } from './control-headers.ts';
